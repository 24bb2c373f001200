"""A message is announced while nobody looks at the app: that there is one, and nothing about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser.screens.scenes import open_chat
from tests.browser.screens.steering import steer

import build_webapp

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

UNSEEN = "Object.defineProperty(document, 'visibilityState', { get: () => window.looking });"
ANNOUNCED = """async () => {
    const worker = await navigator.serviceWorker.ready;
    const shown = await worker.getNotifications();
    return shown.map(({ title, body, tag }) => [title, body, tag]);
}"""
BOB = "b" * 32


def announced(page: Page, times: int) -> list[Any]:
    """Wait until so much is announced; returns title, text and tag of each."""
    shown: list[Any] = []
    for _ in range(100):
        shown = page.evaluate(ANNOUNCED)
        if len(shown) >= times:
            break
        page.wait_for_timeout(50)
    return shown


def test_a_message_is_announced_while_nobody_looks(
    browser: Browser, built_screens: Path, screens_address: str
) -> None:
    """In the same words as a push, without name or text; the next one takes its place."""
    build_webapp.name_files(built_screens)
    context = browser.new_context()
    context.grant_permissions(["notifications"], origin=screens_address)
    context.add_init_script(UNSEEN)
    page = context.new_page()
    page.goto(f"{screens_address}/?scene=home")
    page.evaluate("navigator.serviceWorker.ready")
    open_chat(page, "bob")
    page.evaluate("window.looking = 'visible'")
    steer(page, message={"conversation": BOB, "text": "seen at once"})
    page.get_by_role("log").get_by_text("seen at once").wait_for()
    page.wait_for_timeout(300)
    assert page.evaluate(ANNOUNCED) == []

    page.evaluate("window.looking = 'hidden'")
    for text in ("a secret", "another"):
        steer(page, message={"conversation": BOB, "text": text})
    assert announced(page, 1) == [["Untether", "New message", "untether-message"]]
    page.wait_for_timeout(300)
    assert len(page.evaluate(ANNOUNCED)) == 1
    context.close()
