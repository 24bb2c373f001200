"""A browser without room for a new device, and one that deletes what it kept while it is used."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import CDPSession, Page, expect
from tests.browser.app.acting import choose_passphrase
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
    page.get_by_label("Your name").fill("alice-without-room")
    press(page, "Continue")
    fill_disk(page, session, full=True)
    choose(page)
    expect(page.get_by_role("alert")).to_contain_text("The disk is full")
    fill_disk(page, session, full=False)
    choose(page)
    expect(page.get_by_role("heading", name=then)).to_be_visible()
