"""The code of a new device is read by a camera: a fake one, which films a real QR code."""

from __future__ import annotations

from pathlib import Path

import pytest
import segno
from playwright.sync_api import Browser, Playwright, expect
from tests.browser.screens.scenes import scan
from tests.browser.screens.test_screens_and_cameras import LINK_TEXT
from tests.browser.serving import CHROMIUM

WIDTH, HEIGHT = 640, 480
WHITE, GREY, DARK = 235, 128, 30
MODULE_PX = 7


def film(path: Path, text: str) -> None:
    """Write a film of one picture: the code in the middle of a grey wall."""
    matrix = [list(row) for row in segno.make(text, micro=False, error="m").matrix_iter(border=4)]
    picture = [bytearray([GREY]) * WIDTH for _ in range(HEIGHT)]
    left = (WIDTH - len(matrix) * MODULE_PX) // 2
    top = (HEIGHT - len(matrix) * MODULE_PX) // 2
    for y in range(len(matrix) * MODULE_PX):
        for x in range(len(matrix) * MODULE_PX):
            is_dark = matrix[y // MODULE_PX][x // MODULE_PX]
            picture[top + y][left + x] = DARK if is_dark else WHITE
    colours = bytes([GREY]) * (WIDTH * HEIGHT // 2)
    frame = b"FRAME\n" + b"".join(picture) + colours
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(header + frame * 10)


@pytest.fixture
def filming(playwright_of_screens: Playwright, tmp_path: Path) -> Browser:
    """Start a Chromium whose camera films the code."""
    film(tmp_path / "code.y4m", LINK_TEXT)
    return playwright_of_screens.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={tmp_path / 'code.y4m'}",
        ],
    )


def test_the_camera_reads_the_code(filming: Browser, screens_address: str) -> None:
    """Pointing the camera is enough: the new device is shown, and the camera is let go."""
    page = filming.new_context(viewport={"width": 390, "height": 844}).new_page()
    page.goto(f"{screens_address}/?scene=home")
    scan(page)
    expect(page.get_by_role("dialog", name="Link this device?")).to_be_visible()
    expect(page.locator("video")).to_have_count(0)
    filming.close()


def test_a_camera_that_is_not_allowed_is_said(browser: Browser, screens_address: str) -> None:
    """And what to do about it."""
    page = browser.new_context().new_page()
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => {"
        " throw new DOMException('no', 'NotAllowedError'); };"
    )
    page.goto(f"{screens_address}/?scene=home")
    scan(page)
    expect(page.get_by_role("alert")).to_contain_text("The camera is not allowed here.")
    page.context.close()
