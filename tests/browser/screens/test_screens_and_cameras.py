"""Reading a code: from a picture, from a wrong picture, and without a camera."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import segno
from playwright.sync_api import Page, expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import scan, security_code

LINK_TEXT = "untether://link/1/" + "aB3_x-Kq" * 16 + "/https://chat.example.org"


def picture(text: str, scale: int = 5) -> Any:
    """Draw a QR code as a picture file."""
    drawn = BytesIO()
    segno.make(text, micro=False, error="m").save(drawn, kind="png", scale=scale)
    return {"name": "code.png", "mimeType": "image/png", "buffer": drawn.getvalue()}


def give(page: Page, file: Any) -> None:
    """Choose a picture in place of the camera."""
    page.get_by_label("Use a picture instead").set_input_files(file)


def test_a_picture_of_the_code_is_as_good_as_the_camera(open_scene: OpenScene) -> None:
    """The new device is shown, and the owner is asked."""
    page = open_scene("home")
    scan(page)
    give(page, picture(LINK_TEXT))
    expect(page.get_by_role("dialog", name="Link this device?")).to_be_visible()


def test_a_foreign_code_and_a_picture_without_one_are_told_apart(open_scene: OpenScene) -> None:
    """Each failure has its words, and the next picture can be the right one."""
    page = open_scene("home")
    scan(page)
    give(page, picture("https://menu.example.org"))
    expect(page.get_by_role("alert").first).to_contain_text("not the code of a device to link")
    give(page, {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(page.get_by_role("alert").first).to_contain_text("no code in this picture")
    give(page, picture(LINK_TEXT))
    expect(page.get_by_role("dialog", name="Link this device?")).to_be_visible()


def test_without_a_camera_there_are_other_ways(open_scene: OpenScene) -> None:
    """No camera is no dead end: link text and picture stay."""
    page = open_scene("home")
    scan(page)
    expect(page.get_by_role("alert")).to_contain_text("No camera was found.")
    expect(page.get_by_text("Use a picture instead")).to_be_visible()
    expect(page.get_by_role("tab", name="Link text")).to_be_visible()


def test_digits_that_are_the_same_are_marked(open_scene: OpenScene) -> None:
    """The security code page shows sixty digits, and afterwards that they were compared."""
    page = open_scene("home")
    security_code(page)
    digits = page.get_by_role("list", name="Security code").get_by_role("listitem")
    expect(digits).to_have_count(12)
    page.get_by_role("button", name="The digits are the same").click()
    expect(page.get_by_text("Verified", exact=True)).to_be_visible()
