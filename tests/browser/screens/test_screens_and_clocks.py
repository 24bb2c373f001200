"""The clocks of those who write: the list keeps the relay's order, and hides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import open_chat
from tests.browser.screens.steering import steer

if TYPE_CHECKING:
    from playwright.sync_api import Page

BOB = "b" * 32
DAY_MS = 24 * 60 * 60 * 1000


def arrives(page: Page, text: str, *, sent_at: int, accepted_at: int) -> None:
    """Bob writes, by a clock of his own."""
    message = {
        "message_id": text.encode().hex().ljust(32, "0"),
        "author": "bob",
        "author_device": 0,
        "conversation_id": BOB,
        "outgoing": False,
        "text": text,
        "sent_at": sent_at,
        "accepted_at": accepted_at,
        "state": "received",
        "cause": None,
        "recovered": False,
    }
    steer(page, say={"event": "message", "message": message})


def bobs_chat(open_scene: OpenScene) -> tuple[Page, int]:
    """Open it; returns the page and its time."""
    page = open_scene("home", "desktop")
    open_chat(page, "bob")
    page.get_by_text("Coffee is there already").wait_for()
    now: int = page.evaluate("Date.now()")
    return page, now


def test_clocks_that_jump_break_no_list(open_scene: OpenScene) -> None:
    """Days between messages are those of the relay: today is one day, whoever's clock says what."""
    page, now = bobs_chat(open_scene)
    for number in range(6):
        sent_at = now - DAY_MS * (number % 2)
        arrives(page, f"zigzag {number}", sent_at=sent_at, accepted_at=now + number)
    for number in range(6):
        expect(page.get_by_role("log").get_by_text(f"zigzag {number}")).to_be_visible()
    expect(page.get_by_role("log").get_by_role("heading", name="Today")).to_have_count(1)


def test_no_clock_hides_a_notice(open_scene: OpenScene) -> None:
    """Messages dated ahead stand where the relay took them; the notice comes behind them."""
    page, now = bobs_chat(open_scene)
    for number in range(25):
        arrives(page, f"ahead {number}", sent_at=now + 2 * DAY_MS, accepted_at=now + number)
    expect(page.get_by_role("log").get_by_text("ahead 24")).to_be_visible()
    notice = {
        "row": 77,
        "code": "possible-copy",
        "text": "bob may have been copied.",
        "about": "bob",
        "conversation_id": BOB,
        "at": now + 30,
        "own": False,
    }
    steer(page, say={"event": "notice", "notice": notice})
    expect(page.get_by_role("log").get_by_text("bob may have been copied.")).to_be_in_viewport()
