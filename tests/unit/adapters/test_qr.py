"""A link text goes through a terminal, a PNG file and a bad photograph, and comes back."""

import io
import random
import struct
import zlib
from pathlib import Path

import pytest
import segno
from PIL import Image

from untether.adapters import qr
from untether.base.errors import LocalError, PlatformError
from untether.base.identifiers import RelayId, SlotId
from untether.base.limits import LINK_TEXT_MAX, QR_IMAGE_BYTES_MAX
from untether.base.secret_bytes import SecretBytes
from untether.protocol.linking.link_text import LinkText

TEXT = LinkText(
    relay_address="https://" + "r" * 58,
    relay_id=RelayId(bytes(range(16))),
    slot_id=SlotId(bytes(range(16, 32))),
    link_secret=SecretBytes(bytes(range(32, 64))),
    offer_hash=bytes(range(64, 96)),
).to_text()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Return a saved code."""
    path = tmp_path / "code.png"
    qr.save_png(TEXT, path)
    return path


def refusal(path: Path) -> str:
    """Return the code of the refusal of a picture, which says what to do."""
    with pytest.raises(LocalError) as refused:
        qr.read_link_text(path)
    assert refused.value.hint
    return refused.value.code


def test_longest_text_is_a_version_10_code() -> None:
    """The longest link text is still read by cheap cameras."""
    assert len(TEXT) == LINK_TEXT_MAX
    assert segno.make_qr(TEXT, error="m", boost_error=False).version == 10


def test_saved_code_is_read_and_private(picture: Path) -> None:
    """The file holds the text, and nobody else may read it."""
    assert qr.read_link_text(picture) == TEXT
    assert picture.stat().st_mode & 0o777 == 0o600
    qr.save_png(TEXT, picture)
    assert qr.read_link_text(picture) == TEXT


def test_code_that_can_not_be_saved_is_named(tmp_path: Path) -> None:
    """A missing folder is the platform's failure."""
    with pytest.raises(PlatformError) as refused:
        qr.save_png(TEXT, tmp_path / "missing" / "code.png")
    assert refused.value.code == "qr-not-saved"


@pytest.mark.parametrize("colour", [True, False])
def test_terminal_shows_a_readable_code(tmp_path: Path, colour: bool) -> None:
    """What a terminal draws, in its own colours, is found again."""
    lines = [
        line.removeprefix("\x1b[38;5;16;48;5;231m").removesuffix("\x1b[0m")
        for line in qr.render_terminal(TEXT, colour=colour).split("\n")
    ]
    ink, paper = (0, 255) if colour else (255, 0)
    image = Image.new("L", (len(lines[0]), 2 * len(lines)), paper)
    for row, line in enumerate(lines):
        for column, block in enumerate(line):
            if block in "▀█":
                image.putpixel((column, 2 * row), ink)
            if block in "▄█":
                image.putpixel((column, 2 * row + 1), ink)
    path = tmp_path / "screen.png"
    image.resize((5 * image.width, 5 * image.height), Image.Resampling.NEAREST).save(path)

    assert qr.read_link_text(path) == TEXT
    assert len({len(line) for line in lines}) == 1
    assert len(lines) <= 31


@pytest.mark.parametrize("size", [200, 311, 800])
@pytest.mark.parametrize("degrees", [0, 7, 90, 180])
def test_small_noisy_and_turned_pictures_are_read(
    picture: Path, tmp_path: Path, size: int, degrees: int
) -> None:
    """A code of 200 points, badly lit and turned, is still read."""
    image = Image.open(picture).convert("L").resize((size, size), Image.Resampling.BICUBIC)
    turned = image.rotate(degrees, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)
    noise = random.Random(size + degrees)
    dim = turned.point(lambda value: 40 + value * 3 // 5)
    dim.frombytes(bytes(value + noise.randrange(30) for value in dim.tobytes()))
    path = tmp_path / "photograph.jpg"
    dim.save(path, quality=80)

    assert qr.read_link_text(path) == TEXT


def test_transparent_picture_is_read_on_white(picture: Path, tmp_path: Path) -> None:
    """Black modules on nothing are black on white."""
    image = Image.open(picture).convert("L")
    clear = Image.new("RGBA", image.size, (0, 0, 0, 0))
    clear.putalpha(image.point(lambda value: 255 - value))
    path = tmp_path / "clear.png"
    clear.save(path)

    assert qr.read_link_text(path) == TEXT


def test_picture_without_a_code_is_named(tmp_path: Path) -> None:
    """An empty picture has no code."""
    path = tmp_path / "empty.webp"
    Image.new("RGB", (320, 240), "white").save(path)

    assert refusal(path) == "qr-no-code"


def test_other_peoples_code_is_named(tmp_path: Path) -> None:
    """A code of something else is not taken for a link."""
    path = tmp_path / "code.png"
    qr.save_png("WIFI:S:guests;;", path)

    assert refusal(path) == "qr-not-untether"


def test_two_link_codes_in_one_picture_are_named(picture: Path, tmp_path: Path) -> None:
    """The person chooses, not the product; the same code twice is one code."""
    other = tmp_path / "other.png"
    qr.save_png(TEXT.replace("rrr/", "sss/")[:-1] + "s", other)
    left = Image.open(picture).convert("L")
    for right_path, expected in ((other, "qr-several-codes"), (picture, None)):
        right = Image.open(right_path).convert("L")
        both = Image.new("L", (left.width + right.width, left.height), 255)
        both.paste(left, (0, 0))
        both.paste(right, (left.width, 0))
        path = tmp_path / "both.png"
        both.save(path)
        if expected:
            assert refusal(path) == expected
        else:
            assert qr.read_link_text(path) == TEXT


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    """A wrong name and a folder are told apart."""
    assert refusal(tmp_path / "missing.png") == "qr-file-missing"
    assert refusal(tmp_path) == "qr-unreadable"


@pytest.mark.parametrize(
    "data",
    [b"", b"garbage", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(100), b"\xff\xd8\xff\xe0" + bytes(9)],
)
def test_garbage_is_refused(tmp_path: Path, data: bytes) -> None:
    """What is no picture of a known kind is refused."""
    path = tmp_path / "garbage.png"
    path.write_bytes(data)

    assert refusal(path) == "qr-unreadable"


def test_cut_picture_is_refused(picture: Path) -> None:
    """A picture that ends too early is damaged."""
    picture.write_bytes(picture.read_bytes()[:-200])

    assert refusal(picture) == "qr-unreadable"


def test_a_device_is_written_to_and_never_replaced() -> None:
    """A full disk is named, and stays what it was: unlinking it would take it from everybody."""
    full = Path("/dev/full")
    with pytest.raises(PlatformError) as refused:
        qr.save_png(TEXT, full)
    assert refused.value.code == "qr-not-saved"
    assert full.is_char_device()


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    """Whoever put it there learns and overwrites nothing."""
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    qr.save_png(TEXT, link)
    assert not target.exists()
    assert not link.is_symlink()


def test_huge_file_is_refused_unread(tmp_path: Path) -> None:
    """No more than the limit is read into memory."""
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(QR_IMAGE_BYTES_MAX + 1)

    assert refusal(path) == "qr-unreadable"


@pytest.mark.parametrize("side", [8_200, 12_000, 60_000])
def test_decompression_bomb_is_refused_by_its_head(tmp_path: Path, side: int) -> None:
    """A few bytes that claim gigabytes are refused before a pixel is unpacked."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    bomb = io.BytesIO()
    bomb.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head))
    bomb.write(chunk(b"IDAT", zlib.compress(bytes(100_000))) + chunk(b"IEND", b""))
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb.getvalue())

    assert refusal(path) == "qr-unreadable"
