"""QR codes to read: as the file of a picture, and as what a camera films."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import segno

LINK_TEXT = "untether://link/1/" + "aB3_x-Kq" * 16 + "/https://chat.example.org"

WIDTH, HEIGHT = 640, 480
WHITE, GREY, DARK = 235, 128, 30
MODULE_PX = 7


def picture(text: str, scale: int = 5) -> Any:
    """Draw a QR code as a picture file."""
    drawn = BytesIO()
    segno.make(text, micro=False, error="m").save(drawn, kind="png", scale=scale)
    return {"name": "code.png", "mimeType": "image/png", "buffer": drawn.getvalue()}


def film(path: Path, text: str) -> None:
    """Write a film of one picture: the code in the middle of a grey wall."""
    matrix = [list(row) for row in segno.make(text, micro=False, error="m").matrix_iter(border=4)]
    frame = [bytearray([GREY]) * WIDTH for _ in range(HEIGHT)]
    left = (WIDTH - len(matrix) * MODULE_PX) // 2
    top = (HEIGHT - len(matrix) * MODULE_PX) // 2
    for y in range(len(matrix) * MODULE_PX):
        for x in range(len(matrix) * MODULE_PX):
            is_dark = matrix[y // MODULE_PX][x // MODULE_PX]
            frame[top + y][left + x] = DARK if is_dark else WHITE
    colours = bytes([GREY]) * (WIDTH * HEIGHT // 2)
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(header + (b"FRAME\n" + b"".join(frame) + colours) * 10)
