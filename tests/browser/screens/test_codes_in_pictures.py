"""Reading a code from a picture: the right one, a wrong one, and none at all."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect
from tests.browser.screens.codes import LINK_TEXT, picture
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import scan


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
