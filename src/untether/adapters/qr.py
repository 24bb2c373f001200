"""QR codes: show a link text, and find one in a picture (spec 03, "Link text").

A terminal shows the code with half blocks, two modules in one character. With colour the code
is black on white whatever the terminal's theme; without, its light modules are drawn, which is
right on a dark background, and decoders take the inverse too.
"""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Final

import segno
import zxingcpp
from PIL import Image, UnidentifiedImageError

from untether.base.errors import LocalError, PlatformError
from untether.base.limits import QR_IMAGE_BYTES_MAX, QR_IMAGE_PIXELS_MAX
from untether.protocol.identity.security_code import SECURITY_QR_PREFIX
from untether.protocol.linking.link_text import LINK_PREFIX

_ERROR_CORRECTION: Final = "m"
_QUIET_ZONE: Final = 4
_TERMINAL_QUIET_ZONE: Final = 2
_PIXELS_PER_MODULE: Final = 8
_FORMATS: Final = ("PNG", "JPEG", "WEBP")
_BLACK_ON_WHITE: Final = "\x1b[38;5;16;48;5;231m"
_RESET: Final = "\x1b[0m"
# (upper module is dark, lower module is dark) → character that draws the dark modules
_HALF_BLOCKS: Final = {
    (False, False): " ",
    (True, False): "▀",
    (False, True): "▄",
    (True, True): "█",
}


def render_terminal(text: str, *, colour: bool) -> str:
    """Return lines that show ``text`` as a QR code; ``colour`` where escape codes are read."""
    rows = [
        [bool(module) == colour for module in row]
        for row in _make(text).matrix_iter(border=_TERMINAL_QUIET_ZONE)
    ]
    if len(rows) % 2:
        rows.append([not colour] * len(rows[0]))
    lines = []
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        blocks = "".join(_HALF_BLOCKS[pair] for pair in zip(upper, lower, strict=True))
        lines.append(f"{_BLACK_ON_WHITE}{blocks}{_RESET}" if colour else blocks)
    return "\n".join(lines)


def save_png(text: str, path: Path) -> None:
    """Write ``text`` as a QR code that only this user may read; PlatformError ``qr-not-saved``.

    A file that is there is replaced, whoever could read it; anything else, e.g. a device or a
    pipe, is written to and never replaced.
    """
    image = io.BytesIO()
    _make(text).save(image, kind="png", scale=_PIXELS_PER_MODULE, border=_QUIET_ZONE)
    try:
        if path.is_symlink() or path.is_file():
            path.unlink()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(image.getvalue())
    except OSError as error:
        raise PlatformError(
            "qr-not-saved",
            f"The QR code can't be written to {path}: {error.strerror}.",
            "Name a file in a folder that you may write to.",
        ) from error


def read_link_text(path: Path) -> str:
    """Return the link text of the one Untether code in a picture.

    LocalError ``qr-file-missing``, ``qr-unreadable``, ``qr-no-code``, ``qr-not-untether`` or
    ``qr-several-codes``. The text itself is still to be read by the linking protocol.
    """
    return _read_text(
        path, LINK_PREFIX, "Start linking on the new device and take a picture of its code."
    )


def read_security_text(path: Path) -> str:
    """Return the text of the one security code in a picture; errors as in read_link_text."""
    return _read_text(
        path, SECURITY_QR_PREFIX, "Take a picture of what `security-code` shows there."
    )


def _read_text(path: Path, prefix: str, where_from: str) -> str:
    image = _open_image(_read_file(path))
    codes = zxingcpp.read_barcodes(
        image, formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
    )
    if not codes:
        raise LocalError(
            "qr-no-code",
            "There is no readable QR code in the picture.",
            "Take a sharp picture in which the whole code is seen, with some white around it.",
        )
    texts = {code.text for code in codes if code.text.startswith(prefix)}
    if not texts:
        raise LocalError(
            "qr-not-untether", "The QR code in the picture is not the one wanted here.", where_from
        )
    if len(texts) > 1:
        raise LocalError(
            "qr-several-codes",
            f"There are {len(texts)} different codes in the picture.",
            "Take a picture of one code alone.",
        )
    return str(texts.pop())


def _make(text: str) -> segno.QRCode:
    return segno.make_qr(text, error=_ERROR_CORRECTION, boost_error=False)


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(QR_IMAGE_BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise LocalError(
            "qr-file-missing", f"There is no file {path}.", "Check the name of the picture."
        ) from error
    except OSError as error:
        raise _unreadable(str(error.strerror)) from error
    if len(data) > QR_IMAGE_BYTES_MAX:
        raise _unreadable(f"it has more than {QR_IMAGE_BYTES_MAX // 2**20} MiB")
    return data


def _open_image(data: bytes) -> Image.Image:
    """Unpack a picture to shades of grey, its size checked by its head before any pixel."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
        if image.width * image.height > QR_IMAGE_PIXELS_MAX:
            raise _unreadable(f"it has {image.width} × {image.height} points")
        if not image.has_transparency_data:
            return image.convert("L")
        opaque = Image.new("RGBA", image.size, "white")
        opaque.alpha_composite(image.convert("RGBA"))
        return opaque.convert("L")
    except UnidentifiedImageError as error:
        raise _unreadable("it is no PNG, JPEG or WebP picture") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _unreadable("it has too many points") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise _unreadable("it is damaged") from error


def _unreadable(why: str) -> LocalError:
    return LocalError(
        "qr-unreadable",
        f"The picture can't be read: {why}.",
        "Use a PNG, JPEG or WebP picture of the code.",
    )
