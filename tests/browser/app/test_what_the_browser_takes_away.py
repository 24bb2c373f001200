"""A browser without room for a new device, and one that deletes what it kept while it is used."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import CDPSession, Page, expect
from tests.browser.app.acting import choose_passphrase, register
from tests.browser.app.conftest import OpenBrowser
from tests.browser.screens.scenes import press


def choose_no_lock(page: Page) -> None:
    """Protect with nothing."""
    press(page, "Don’t lock")
    press(page, "Continue without a lock")


def fill_disk(page: Page, session: CDPSession, *, full: bool) -> None:
    """Leave no room to this app, or as much as before."""
    quota = {"quotaSize": 1} if full else {}
    session.send("Storage.overrideQuotaForOrigin", {"origin": page.evaluate("origin"), **quota})


@pytest.mark.parametrize(
    ("choose", "then"),
    [(choose_passphrase, "Your recovery code"), (choose_no_lock, "Protect your account")],
)
def test_a_disk_that_is_full_before_there_is_a_device(
    open_browser: OpenBrowser, choose: Callable[[Page], None], then: str
) -> None:
    """The choice of the lock says so, and with room again it goes on."""
    page = open_browser("phone")
    session = page.context.new_cdp_session(page)
    press(page, "Create an account")
    page.get_by_label("Your name").fill(f"alice-{then.split(maxsplit=1)[0].lower()}")
    press(page, "Continue")
    fill_disk(page, session, full=True)
    choose(page)
    expect(page.get_by_role("alert")).to_contain_text("The disk is full")
    fill_disk(page, session, full=False)
    choose(page)
    expect(page.get_by_role("heading", name=then)).to_be_visible()


def delete_files(page: Page, session: CDPSession) -> None:
    """Have the browser delete what this app keeps, as it does when it needs the room."""
    session.send(
        "Storage.clearDataForOrigin",
        {"origin": page.evaluate("origin"), "storageTypes": "all"},
    )


def test_files_that_are_deleted_under_an_open_app(open_browser: OpenBrowser) -> None:
    """Both tabs begin again by themselves, tell why, and a new account can be made."""
    page = open_browser("phone")
    register(page, "alice-deleted")
    second = page.context.new_page()
    second.goto(page.url)
    second.get_by_role("heading", name="Chats", exact=True).wait_for()
    delete_files(page, page.context.new_cdp_session(page))
    for tab in (page, second):
        expect(tab.get_by_text("This browser has deleted what it kept")).to_be_visible()
    register(page, "alice-again")


def test_a_lock_of_files_that_are_deleted(open_browser: OpenBrowser) -> None:
    """It ends, though files that are gone can't be closed, and the app begins again."""
    page = open_browser("phone")
    register(page, "alice-locks")
    press(page, "Settings")
    page.get_by_role("button", name="Lock now").wait_for()
    delete_files(page, page.context.new_cdp_session(page))
    press(page, "Lock now")
    expect(page.get_by_text("This browser has deleted what it kept")).to_be_visible()
    register(page, "alice-locks-again")
