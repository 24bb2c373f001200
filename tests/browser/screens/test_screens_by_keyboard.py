"""Everything can be done without a pointer, and the focus is where one expects it."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import log_out, open_chat, paste, see_devices
from tests.browser.screens.steering import steer

MANY_STEPS = 30


def tab_to(page: Page, name: str) -> None:
    """Move the focus with Tab until it is on the button of a name."""
    wanted = page.get_by_role("button", name=name, exact=True).first
    for _ in range(MANY_STEPS):
        page.keyboard.press("Tab")
        if wanted.evaluate("button => button === document.activeElement"):
            return
    raise AssertionError(f"“{name}” is not reached by Tab")


def test_a_person_is_found_and_written_to(open_scene: OpenScene) -> None:
    """Search, Enter, a message, Enter: it stands in the conversation and gets its ticks."""
    page = open_scene("home", "desktop")
    box = page.get_by_role("searchbox")
    box.focus()
    page.keyboard.type("zoe")
    page.keyboard.press("Enter")
    writing = page.get_by_role("textbox", name="Message")
    expect(writing).to_be_focused()
    page.keyboard.type("Hello Zoe")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    page.keyboard.press("Enter")

    log = page.get_by_role("log")
    expect(log.get_by_text("Hello Zoe\nsecond line")).to_be_visible()
    expect(log.get_by_role("img", name="Delivered")).to_be_visible()
    expect(writing).to_have_value("")


def test_a_message_that_was_refused_is_not_lost(open_scene: OpenScene) -> None:
    """The cause and the next step are shown, and the text is back in its box."""
    page = open_scene("failing", "desktop")
    open_chat(page, "bob")
    writing = page.get_by_role("textbox", name="Message")
    writing.fill("important")
    writing.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Check the spelling")
    expect(writing).to_have_value("important")


def test_a_new_screen_has_the_focus_on_its_title(open_scene: OpenScene) -> None:
    """So that a screen reader says where one is; Back returns."""
    page = open_scene("home")
    see_devices(page)
    expect(page.get_by_role("heading", name="Linked devices")).to_be_focused()
    page.go_back()
    expect(page.get_by_role("heading", name="Chats")).to_be_visible()


def test_a_dialog_keeps_the_focus_and_gives_it_back(open_scene: OpenScene) -> None:
    """Escape changes nothing, and the focus is on the button that asked."""
    page = open_scene("home", "desktop")
    log_out(page)
    dialog = page.get_by_role("dialog", name="Log out “Laptop”?")
    expect(dialog).to_be_visible()
    for _ in range(6):
        page.keyboard.press("Tab")
        inside = "document.activeElement.closest('dialog') !== null"
        assert page.evaluate(f"{inside} || document.activeElement === document.body")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Log out").first).to_be_focused()
    expect(page.get_by_text("3 of 4 linked")).to_be_visible()


def test_a_device_is_logged_out(open_scene: OpenScene) -> None:
    """Tab, Enter, Tab, Enter: the device is gone from the list."""
    page = open_scene("home", "desktop")
    log_out(page)
    tab_to(page, "Log out")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 of 4 linked")).to_be_visible()
    expect(page.get_by_text("Laptop")).to_have_count(0)


def test_tabs_move_by_arrows(open_scene: OpenScene) -> None:
    """Between the camera and the link text."""
    page = open_scene("home")
    paste(page)
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="Scan")).to_be_focused()
    expect(page.get_by_role("tab", name="Scan")).to_have_attribute("aria-selected", "true")


def test_new_messages_are_said_once(open_scene: OpenScene) -> None:
    """What arrives is in the live region; rows that scroll by are not."""
    page = open_scene("home", "desktop")
    open_chat(page, "bob")
    page.get_by_text("Coffee is there already").wait_for()
    steer(page, message={"conversation": "b" * 32, "text": "Are you there?"})
    live = page.locator("[aria-live=polite]", has_text="Are you there?")
    expect(live).to_have_text("bob: Are you there?")
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "off")
    expect(page.get_by_role("log").get_by_text("Are you there?")).to_be_in_viewport()
