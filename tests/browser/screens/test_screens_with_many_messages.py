"""A long conversation: few rows on the page, earlier pages on demand, the end stays the end."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import open_chat
from tests.browser.screens.steering import steer

ROWS_MAX = 60
ROWS = "document.querySelectorAll('[role=log] article, [role=log] h2').length"


def open_long(page: Page, last: str) -> None:
    """Open the long conversation and wait for its end."""
    open_chat(page, "bob")
    expect(page.get_by_role("log").get_by_text(last, exact=False).last).to_be_in_viewport()


def test_ten_thousand_messages_are_few_rows(open_scene: OpenScene) -> None:
    """At the end, while scrolling, and at the beginning there are at most sixty rows."""
    page = open_scene("many")
    open_long(page, "Message 9999")
    log = page.get_by_role("log")
    most = page.evaluate(ROWS)
    for _ in range(40):
        log.evaluate("box => box.scrollBy(0, -3000)")
        page.wait_for_timeout(20)
        most = max(most, page.evaluate(ROWS))
    log.evaluate("box => box.scrollTop = 0")
    expect(log.get_by_text("Message 0", exact=True)).to_be_visible()
    most = max(most, page.evaluate(ROWS))
    assert 5 < most <= ROWS_MAX

    page.get_by_role("button", name="Go to the newest message").click()
    expect(log.get_by_text("Message 9999", exact=False)).to_be_in_viewport()


def test_earlier_pages_come_without_a_jump(open_scene: OpenScene) -> None:
    """The row that one reads stays where it is while a page is put above it."""
    page = open_scene("pages")
    open_long(page, "Message 499")
    log = page.get_by_role("log")
    for _ in range(60):
        log.hover()
        page.mouse.wheel(0, -900)
        page.wait_for_timeout(40)
        if log.get_by_text("Message 0", exact=True).count():
            break
    expect(log.get_by_text("Message 0", exact=True)).to_be_attached()
    assert page.evaluate(ROWS) <= ROWS_MAX


def test_a_new_message_does_not_pull_a_reader_away(open_scene: OpenScene) -> None:
    """Who reads further up stays there; who is at the end sees the new one."""
    page = open_scene("pages")
    open_long(page, "Message 499")
    log = page.get_by_role("log")
    log.hover()
    page.mouse.wheel(0, -1500)
    scrolled_up(page, log)
    steer(page, message={"conversation": "b" * 32, "text": "A new one"})
    page.get_by_text("bob: A new one").wait_for(state="attached")
    page.wait_for_timeout(200)
    assert distance_to_the_end(log) > 500
    expect(log.get_by_text("A new one")).not_to_be_in_viewport()


def scrolled_up(page: Page, log: Locator) -> None:
    """Wait until the wheel has done its work."""
    for _ in range(100):
        page.wait_for_timeout(50)
        if distance_to_the_end(log) > 1_000:
            return
    raise AssertionError("the wheel scrolled nothing")


def distance_to_the_end(log: Locator) -> int:
    """Return how many pixels of the list lie below what is shown."""
    below: float = log.evaluate("box => box.scrollHeight - box.scrollTop - box.clientHeight")
    return round(below)
