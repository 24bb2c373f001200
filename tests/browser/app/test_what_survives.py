"""What a browser keeps: through a kill, without a network, unreadable, and no longer than told."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect
from tests.browser.app.acting import PASSPHRASE, register, send, write_to
from tests.browser.app.conftest import PHONE, Friend, OpenBrowser, processes_of
from tests.browser.screens.scenes import press

SECRET = "the cake is under the stairs"
BROWSER_NOTES_MS = 3_000
"""Chromium writes down what stands in the fields of a page about a second after it was typed."""
DELETE_ALL = """async () => {
  const root = await navigator.storage.getDirectory();
  const deleted = () => root.removeEntry('untether', {recursive: true}).then(() => true);
  while (!await deleted().catch(() => false)) await new Promise(next => setTimeout(next, 100));
}"""
"""What a browser does that needs the room; the engine lets go of its files after the lock."""
MakeFriend = Callable[[str], Friend]


def unlock(page: Page) -> None:
    """Open the app again."""
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    press(page, "Unlock")
    page.get_by_role("heading", name="Chats", exact=True).wait_for()


def open_chat(page: Page, name: str) -> None:
    """Open a chat from the list."""
    page.get_by_role("listitem").filter(has_text=name).first.get_by_role("button").click()


def test_a_browser_that_is_killed_loses_nothing(
    open_browser: OpenBrowser, friend: MakeFriend, tmp_path: Path
) -> None:
    """SIGKILL right after the screen showed it: sent and received messages are there again."""
    bob = friend("bob-kill")
    page = open_browser("phone")
    register(page, "alice-kill")
    write_to(page, bob.name, "first of all")
    bob.send("alice-kill", "an answer")
    expect(page.get_by_role("log").get_by_text("an answer")).to_be_visible()
    for number in range(5):
        send(page, f"number {number}")
        expect(page.get_by_role("log").get_by_text(f"number {number}")).to_be_visible()
    for process in processes_of(tmp_path / "profile-phone"):
        os.kill(process, signal.SIGKILL)

    page = open_browser("phone")
    unlock(page)
    open_chat(page, bob.name)
    for text in ["first of all", "an answer", *(f"number {number}" for number in range(5))]:
        expect(page.get_by_role("log").get_by_text(text)).to_be_visible()
    assert bob.receives("number 4")


def test_nothing_readable_is_on_the_disk(
    open_browser: OpenBrowser, friend: MakeFriend, tmp_path: Path
) -> None:
    """Neither texts nor names nor the passphrase lie in any file of the browser.

    Slowly typed: a browser notes every second what stands in the fields of a page.
    """
    bob = friend("bob-hides-here")
    page = open_browser("phone")
    register(page, "alice-hides-here")
    write_to(page, bob.name, "hello")
    page.get_by_role("textbox", name="Message").press_sequentially(SECRET)
    page.wait_for_timeout(BROWSER_NOTES_MS)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("log").get_by_text(SECRET)).to_be_visible()
    press(page, "Settings")
    press(page, "Lock now")
    page.get_by_role("button", name="Unlock", exact=True).wait_for()
    page.wait_for_timeout(BROWSER_NOTES_MS)
    page.context.close()
    found = [
        (path.name, word)
        for path in (tmp_path / "profile-phone").rglob("*")
        if path.is_file()
        for word in (SECRET, PASSPHRASE, bob.name, "alice-hides-here")
        if word.encode() in path.read_bytes() or word.encode("utf-16-le") in path.read_bytes()
    ]
    assert found == []


def test_it_starts_without_a_network(open_browser: OpenBrowser, friend: MakeFriend) -> None:
    """The shell comes from the service worker, messages from the disk; what is written waits."""
    bob = friend("bob-offline")
    page = open_browser("phone")
    register(page, "alice-offline")
    write_to(page, bob.name, "before")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    expect(page.get_by_role("log").get_by_text("before")).to_be_visible()
    page.context.set_offline(True)
    page.reload()
    unlock(page)
    open_chat(page, bob.name)
    send(page, "written offline")
    expect(page.get_by_role("log").get_by_text("written offline")).to_be_visible()
    page.context.set_offline(False)
    assert bob.receives("written offline")


def test_two_tabs_are_one_device(open_browser: OpenBrowser, friend: MakeFriend) -> None:
    """The second tab follows the first, and takes over when that is closed."""
    bob = friend("bob-tabs")
    first = open_browser("phone")
    register(first, "alice-tabs")
    write_to(first, bob.name, "from the first tab")
    second = first.context.new_page()
    second.goto(first.url)
    open_chat(second, bob.name)
    expect(second.get_by_text("runs in another tab")).to_be_visible()
    send(second, "from the second tab")
    expect(first.get_by_role("log").get_by_text("from the second tab")).to_be_visible()
    first.close()
    unlock(second)
    open_chat(second, bob.name)
    send(second, "the first tab is gone")
    assert bob.receives("the first tab is gone")


def test_a_full_disk_is_said_and_loses_nothing(
    open_browser: OpenBrowser, friend: MakeFriend
) -> None:
    """What can't be kept is not sent and stays in its field; with room again it leaves."""
    bob = friend("bob-full")
    page = open_browser("phone")
    register(page, "alice-full")
    write_to(page, bob.name, "before")
    expect(page.get_by_role("log").get_by_text("before")).to_be_visible()
    session = page.context.new_cdp_session(page)
    quota = "Storage.overrideQuotaForOrigin"
    session.send(quota, {"origin": page.evaluate("origin"), "quotaSize": 1})
    failure = page.get_by_role("alert").filter(has_text="full")
    for number in range(100):
        send(page, f"{number} " + "much to keep " * 2_000)
        page.wait_for_timeout(100)
        if failure.count():
            break
    expect(failure).to_be_visible()
    kept = page.get_by_role("textbox", name="Message").input_value()
    assert kept.startswith(f"{number} ")
    send(page, "a second text " + "much to keep " * 2_000)
    expect(page.get_by_role("textbox", name="Message")).to_have_value(re.compile("second text"))
    page.get_by_role("textbox", name="Message").fill(kept)
    session.send(quota, {"origin": page.evaluate("origin")})
    send(page, kept)
    send(page, "and after")
    assert bob.receives("and after")


def test_a_browser_that_has_deleted_everything_says_so(open_browser: OpenBrowser) -> None:
    """The browser needed the room: the app begins again, and tells why."""
    page = open_browser("phone")
    register(page, "alice-evicted")
    press(page, "Settings")
    press(page, "Lock now")
    page.get_by_role("button", name="Unlock", exact=True).wait_for()
    page.evaluate(DELETE_ALL)
    page.reload()
    expect(page.get_by_text("This browser has deleted what it kept")).to_be_visible()
    expect(page.get_by_role("button", name="Link this device")).to_be_visible()


HOSTILE = {
    "markup": "<img src=x onerror=alert(1)>",
    "turned": "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe",
    "endless": "a" * 2_000,
    "template": "{{constructor}}",
}


def test_long_words_and_broken_ones_can_be_written(
    open_browser: OpenBrowser, friend: MakeFriend
) -> None:
    """A long address stays beside its button, and half a character is no reason to hang."""
    bob = friend("bob-long")
    page = open_browser("phone", **PHONE)
    register(page, "alice-long-words")
    write_to(page, bob.name, "hello")
    field = page.get_by_role("textbox", name="Message")
    field.fill("https://example.org/" + "w" * 300)
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    field.evaluate(
        "field => { field.value = 'half \\ud83d of one'; field.dispatchEvent(new Event('input')); }"
    )
    page.get_by_role("button", name="Send").click()
    assert bob.receives("half \N{REPLACEMENT CHARACTER} of one")


def test_hostile_texts_are_texts(open_browser: OpenBrowser, friend: MakeFriend) -> None:
    """Markup, turned writing, endless words: shown as they are, and nothing runs."""
    bob = friend("bob-hostile")
    page = open_browser("phone", **PHONE)
    register(page, "alice-hostile")
    write_to(page, bob.name, "hello")
    for kind, text in HOSTILE.items():
        bob.send("alice-hostile", text)
        shown = page.get_by_role("log").get_by_text(text[:200])
        expect(shown, kind).to_be_visible()
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), kind
