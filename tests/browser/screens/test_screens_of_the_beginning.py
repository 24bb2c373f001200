"""The first steps: what was typed is checked at once, and every step leads back."""

from __future__ import annotations

from playwright.sync_api import expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import PASSPHRASE, press, type_passphrase


def test_a_taken_name_is_said_at_the_form(open_scene: OpenScene) -> None:
    """Not after a passphrase was thought of; another name goes on."""
    page = open_scene("empty")
    press(page, "Create an account")
    name = page.get_by_label("Your name")
    name.fill("taken")
    press(page, "Continue")
    expect(page.get_by_role("alert")).to_contain_text("belongs to another account")
    expect(name).to_have_value("taken")
    name.fill("alice")
    press(page, "Continue")
    expect(page.get_by_text("What opens them?")).to_be_visible()


def test_a_name_takes_as_many_characters_as_it_may_have(open_scene: OpenScene) -> None:
    """And no more; the rule stands below."""
    page = open_scene("empty")
    press(page, "Create an account")
    name = page.get_by_label("Your name")
    name.press_sequentially("a" * 40, delay=0)
    expect(name).to_have_value("a" * 32)
    expect(page.get_by_text("2 to 32 small letters")).to_be_visible()


def test_an_unfinished_device_says_what_it_is(open_scene: OpenScene) -> None:
    """Locked before it had an account: it speaks of no messages, and can be begun anew."""
    page = open_scene("unfinished")
    type_passphrase(page)
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    page.get_by_label("Passphrase, once more").fill(PASSPHRASE)
    press(page, "Set passphrase")
    expect(page.get_by_role("alert")).to_contain_text("takes no new accounts")
    page.goto(page.url.replace("unfinished", "locked"))
    expect(page.get_by_role("heading", name="Go on where you stopped")).to_be_visible()
    expect(page.get_by_text("messages are encrypted")).to_be_hidden()
    press(page, "Begin anew")
    expect(page.get_by_role("dialog", name="Erase this device?")).to_be_visible()
