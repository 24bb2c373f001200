"""A logged-out device that kept its messages: they are read, and nothing else is offered."""

from __future__ import annotations

from playwright.sync_api import expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import open_chat, press


def test_it_is_read_and_can_be_left(open_scene: OpenScene) -> None:
    """No word of a server, of devices or of the phone; the way out is above every screen."""
    page = open_scene("logged-out")
    press(page, "Read old messages")
    banner = page.get_by_role("status").filter(has_text="This device was logged out")
    expect(banner).to_be_visible()
    expect(page.get_by_role("button", name="Linked devices")).to_have_count(0)
    page.get_by_role("searchbox").fill("nobody-i-know")
    expect(page.get_by_role("button", name="Look for")).to_have_count(0)
    page.get_by_role("searchbox").fill("")

    press(page, "Settings")
    expect(page.get_by_text("Logged out", exact=True)).to_be_visible()
    expect(page.get_by_text("App lock")).to_be_visible()
    for absent in ("Linked to your phone", "Linked devices", "Without the phone", "Notifications"):
        expect(page.get_by_text(absent, exact=True)).to_have_count(0)
    press(page, "Back")
    open_chat(page, "bob")
    expect(page.get_by_text("Coffee is there already")).to_be_visible()

    banner.get_by_role("button", name="What now?").click()
    press(page, "Erase this device and start again")
    expect(page.get_by_role("dialog").get_by_role("button", name="Erase")).to_be_visible()
