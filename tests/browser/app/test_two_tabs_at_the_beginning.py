"""Two tabs of a browser without a device: what one has begun, the other can go on with."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from tests.browser.app.acting import choose_passphrase, offer_to_be_linked
from tests.browser.app.conftest import OpenBrowser
from tests.browser.screens.scenes import press


def two_tabs(open_browser: OpenBrowser) -> tuple[Page, Page]:
    """Open the app in two tabs; the first one runs the engine."""
    first = open_browser("phone")
    second = first.context.new_page()
    second.goto(first.url)
    second.get_by_text("runs in another tab").wait_for()
    return first, second


def name_account(page: Page, name: str) -> None:
    """Fill in the form for a new account."""
    press(page, "Create an account")
    page.get_by_label("Your name").fill(name)
    press(page, "Continue")


def test_a_tab_that_is_closed_after_the_lock_was_chosen(open_browser: OpenBrowser) -> None:
    """The other one goes on under that lock, and does not choose another."""
    first, second = two_tabs(open_browser)
    offer_to_be_linked(second)
    second.close()
    name_account(first, "alice-one-tab")
    expect(first.get_by_role("heading", name="Protect your account")).to_be_visible()


def test_both_tabs_choose_a_lock(open_browser: OpenBrowser) -> None:
    """The later one is told whose choice counts, and can go on."""
    first, second = two_tabs(open_browser)
    name_account(first, "alice-two-tabs")
    offer_to_be_linked(second)
    second.close()
    choose_passphrase(first)
    expect(first.get_by_role("alert")).to_contain_text("Another tab has protected this device")
    press(first, "Continue")
    expect(first.get_by_role("heading", name="Protect your account")).to_be_visible()
