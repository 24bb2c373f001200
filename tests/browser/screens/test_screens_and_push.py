"""The screens subscribe at the browser's push service, which here is a part of the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser.screens.steering import steer

import build_webapp

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PUSH_SERVICE = """
    window.asked = []; window.told = []; window.ended = 0;
    let kept = null;
    PushManager.prototype.subscribe = async function (options) {
        window.asked.push(options);
        const key = options.applicationServerKey;
        if (kept && kept.key !== key) throw new DOMException("another key");
        kept = { key, endpoint: "https://push.example.org/1" };
        kept.unsubscribe = async () => { window.ended += 1; kept = null; return true; };
        return kept;
    };
    PushManager.prototype.getSubscription = async () => kept;
    window.subscribeUnder = (key) =>
        PushManager.prototype.subscribe.call(null, { applicationServerKey: key });
    new BroadcastChannel("untether-heard").onmessage = ({ data }) => window.told.push(data);
"""
"""No push service answers a browser without a network; CDP can only deliver."""

CONNECTED = {"event": "connection", "connected": True, "error": None}


@pytest.fixture
def context(
    browser: Browser, built_screens: Path, screens_address: str
) -> Iterator[BrowserContext]:
    """A browser whose owner allows announcements."""
    build_webapp.name_files(built_screens)
    context = browser.new_context()
    context.grant_permissions(["notifications"], origin=screens_address)
    context.add_init_script(PUSH_SERVICE)
    yield context
    context.close()


def visit(context: BrowserContext, address: str) -> Page:
    """Open the app and wait until its service worker is there."""
    page = context.new_page()
    page.goto(address)
    page.evaluate("navigator.serviceWorker.ready")
    page.get_by_text("david.weiss").wait_for()
    return page


def wait_until_told(page: Page, times: int) -> None:
    """Wait until the engine was given an endpoint so often."""
    for _ in range(100):
        if page.evaluate("window.told.length") >= times:
            return
        page.wait_for_timeout(50)
    raise AssertionError(page.evaluate("window.asked"))


def test_a_browser_subscribes_at_each_connection(
    context: BrowserContext, screens_address: str
) -> None:
    """Under the relay's key, visibly; the engine tells the relay where."""
    page = visit(context, f"{screens_address}/?scene=waking")
    for times in (1, 2):
        steer(page, say=CONNECTED)
        wait_until_told(page, times)
    assert page.evaluate("window.told[0]") == {"subscribed": "https://push.example.org/1"}
    assert page.evaluate("window.asked[0]") == {
        "userVisibleOnly": True,
        "applicationServerKey": "B" * 87,
    }


def test_a_subscription_under_another_key_is_replaced(
    context: BrowserContext, screens_address: str
) -> None:
    """The relay has another key than when the browser subscribed."""
    page = visit(context, f"{screens_address}/?scene=waking")
    page.evaluate("window.subscribeUnder('old')")
    steer(page, say=CONNECTED)
    wait_until_told(page, 1)
    assert page.evaluate("window.ended") == 1


def test_nothing_is_asked_where_no_device_is_woken(
    context: BrowserContext, screens_address: str
) -> None:
    """The relay has no key, or the owner allows no announcements."""
    page = visit(context, f"{screens_address}/?scene=home")
    steer(page, say=CONNECTED)
    page.wait_for_timeout(500)
    assert page.evaluate("window.asked") == []
    context.clear_permissions()
    page = visit(context, f"{screens_address}/?scene=waking")
    steer(page, say=CONNECTED)
    page.wait_for_timeout(500)
    assert page.evaluate("window.asked") == []
