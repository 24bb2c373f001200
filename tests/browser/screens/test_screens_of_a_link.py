"""What both devices say while one links the other, and after somebody said No."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import be_scanned, paste, press, scan, verify


def test_the_phone_says_where_the_new_device_begins(open_scene: OpenScene) -> None:
    """With the server's address, and with what is to be done in the chosen way."""
    page = open_scene("home")
    scan(page)
    expect(page.get_by_text(f"open {urlsplit(page.url).netloc} and")).to_contain_text("camera")
    page.get_by_role("tab", name="Link text").click()
    lead = page.get_by_text(f"open {urlsplit(page.url).netloc} and")
    expect(lead).to_contain_text("Use the link text")
    expect(lead).not_to_contain_text("camera")


def test_a_link_text_is_used_by_enter(open_scene: OpenScene) -> None:
    """It is one line: Enter adds none."""
    page = open_scene("home")
    paste(page)
    text = page.get_by_label("Link text of the new device")
    text.fill("untether://link/1/x")
    text.press("Enter")
    expect(page.get_by_role("dialog", name="Link this device?")).to_be_visible()


def test_a_spent_link_text_is_not_offered_again(open_scene: OpenScene) -> None:
    """Who cancels the verification reads what comes next, and the box is empty."""
    page = open_scene("home")
    verify(page)
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("Have the new device show a new code")
    expect(page.get_by_label("Link text of the new device")).to_have_value("")


def test_the_new_device_knows_who_said_no(open_scene: OpenScene) -> None:
    """After “No” the form says that it was its own owner."""
    page = open_scene("empty")
    be_scanned(page)
    press(page, "No")
    expect(page.get_by_role("alert")).to_contain_text("You said that this is not your account.")
    expect(page.get_by_label("Name of this device")).to_be_visible()
