"""One tab runs the engine, others follow it, and the next one takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import PASSPHRASE, open_chat, press
from tests.browser.screens.steering import steer

if TYPE_CHECKING:
    from playwright.sync_api import Page


def second_tab(first: Page) -> Page:
    """Open the same app in another tab of the same browser."""
    page = first.context.new_page()
    page.goto(first.url)
    return page


def test_a_second_tab_follows_the_first(open_scene: OpenScene) -> None:
    """It says so, shows the same, and can write."""
    first = open_scene("home", "desktop")
    first.get_by_text("david.weiss").wait_for()
    second = second_tab(first)
    expect(second.get_by_text("Untether runs in another tab")).to_be_visible()
    assert len(second.workers) == 0
    open_chat(second, "bob")
    second.get_by_role("textbox", name="Message").fill("From the other tab")
    second.keyboard.press("Enter")
    said = second.get_by_role("log").get_by_text("From the other tab")
    expect(said).to_be_visible()
    steer(first, message={"conversation": "b" * 32, "text": "Seen by both"})
    expect(second.get_by_role("log").get_by_text("Seen by both")).to_be_visible()


def test_the_second_tab_takes_over(open_scene: OpenScene) -> None:
    """When the first is closed the second runs the engine itself."""
    first = open_scene("home", "desktop")
    first.get_by_text("david.weiss").wait_for()
    second = second_tab(first)
    second.get_by_text("Untether runs in another tab").wait_for()
    first.close()
    expect(second.get_by_text("Untether runs in another tab")).to_be_hidden()
    expect(second.get_by_text("david.weiss")).to_be_visible()
    assert len(second.workers) == 1


def test_what_was_typed_survives_the_take_over(open_scene: OpenScene) -> None:
    """The conversation is open again, with the text that was not sent yet."""
    first = open_scene("home", "desktop")
    first.get_by_text("david.weiss").wait_for()
    second = second_tab(first)
    open_chat(second, "bob")
    second.get_by_role("textbox", name="Message").fill("Half a sentence")
    first.close()
    expect(second.get_by_text("Untether runs in another tab")).to_be_hidden()
    expect(second.get_by_role("textbox", name="Message")).to_have_value("Half a sentence")


def test_a_lock_locks_every_tab(open_scene: OpenScene) -> None:
    """And one unlock opens them; nothing that was typed before is kept."""
    first = open_scene("home", "desktop")
    first.get_by_text("david.weiss").wait_for()
    second = second_tab(first)
    open_chat(second, "bob")
    second.get_by_role("textbox", name="Message").fill("secret")
    press(first, "Settings")
    press(first, "Lock now")
    for page in (first, second):
        expect(page.get_by_role("heading", name="Locked")).to_be_visible()
        expect(page.get_by_text("david.weiss")).to_have_count(0)
    second.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    press(second, "Unlock")
    for page in (first, second):
        expect(page.get_by_text("david.weiss")).to_be_visible()
    open_chat(second, "bob")
    expect(second.get_by_role("textbox", name="Message")).to_have_value("")
