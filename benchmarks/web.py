"""The web app in a real browser: how soon it is there, how quick a message is, what it takes.

Needs ``make webapp`` and Debian's Chromium; ``make bench-web`` sees to the first.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from measure import Row, summary
from untether.server.web_files import FOLDER
from untether.server.web_manifest import MANIFEST
from web_browser import PATIENCE_MS, SLOWER, browser, memory_of, slowed

if TYPE_CHECKING:
    from playwright.sync_api import Page, Playwright

ROUNDS = 7
MESSAGES = 15
LONG = 10_000
WHEN = """name => new Promise(resolve => {
  const looking = setInterval(() => {
    const [first] = performance.getEntriesByName(name);
    if (first) { clearInterval(looking); resolve(first.startTime); }
  }, 20);
})"""
"""Milliseconds since the navigation until a mark was set."""
ROWS = "document.querySelectorAll('[role=log] article, [role=log] h2').length"


def rows() -> list[Row]:
    """Measure everything, in one run."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only this benchmark needs it)

    with (
        TemporaryDirectory() as folder,
        _relay(Path(folder)) as address,
        sync_playwright() as playing,
    ):
        start = Start(playing, address, Path(folder))
        return [
            summary("cold transfer", [_transfer() / 1000], "", unit="kB"),
            *start.rows(),
            *_talk(playing, address, Path(folder)),
        ]


class Start:
    """A device without a lock is opened again and again."""

    def __init__(self, playing: Playwright, address: str, folder: Path) -> None:
        self._playing, self._address, self._profile = playing, address, folder / "start"
        with browser(playing, self._profile) as page:
            page.goto(address)
            _register(page, "alice-starts")
            _write_to(page, "alice-starts", "a note to myself")
            page.get_by_text("a note to myself").first.wait_for()
            page.evaluate("navigator.serviceWorker.ready.then(() => true)")
            page.reload()
            page.wait_for_timeout(3000)

    def rows(self) -> list[Row]:
        """Return how soon the chats are painted, and the engine is ready."""
        with browser(self._playing, self._profile) as page:
            page.goto(self._address)
            page.evaluate(WHEN, "untether-ready")
            quick = [self._once(page) for _ in range(ROUNDS)]
            with slowed(self._profile):
                slow = [self._once(page) for _ in range(ROUNDS)]
        started = []
        for _ in range(3):
            with browser(self._playing, self._profile) as page:
                started.append(self._once(page))
        slower = f"engine ready, {SLOWER} times slower processor"
        return [
            summary("chat list painted, warm", [one[0] for one in quick], "< 300", unit="ms"),
            summary("engine ready, warm", [one[1] for one in quick], "< 1200", unit="ms"),
            summary(slower, [one[1] for one in slow], "<= 3500", unit="ms"),
            summary(
                "engine ready, in a browser just started",
                [one[1] for one in started],
                "",
                unit="ms",
            ),
        ]

    def _once(self, page: Page) -> tuple[float, float]:
        """Open the app anew; return both times since the navigation, in milliseconds."""
        page.goto("about:blank")
        page.goto(self._address)
        return page.evaluate(WHEN, "untether-chats"), page.evaluate(WHEN, "untether-ready")


def _talk(playing: Playwright, address: str, folder: Path) -> list[Row]:
    """Return how long a message takes, how a long conversation scrolls, and the memory it takes."""
    with browser(playing, folder / "alice") as alice, browser(playing, folder / "bob") as bob:
        for page, name in ((alice, "alice-talks"), (bob, "bob-talks")):
            page.goto(address)
            _register(page, name)
        _write_to(alice, "bob-talks", "hello")
        bob.get_by_role("listitem").filter(has_text="alice-talks").get_by_role("button").click()
        _write_to(bob, "alice-talks", "hello yourself")
        alice.get_by_role("log").get_by_text("hello yourself").wait_for()
        taken = [_message_ms(alice, bob, f"message {number}") for number in range(MESSAGES)]
        _fill(folder, address)
        bob.get_by_text(f"{LONG} of {LONG}").first.wait_for(timeout=900_000)
        bob.get_by_role("listitem").filter(has_text="carol-writes").get_by_role("button").click()
        bob.get_by_role("log").get_by_text(f"{LONG} of {LONG}").wait_for()
        most, longest = _scroll(bob)
        memory = memory_of(folder / "bob")
    return [
        summary("message on the other device", taken, "< 300", unit="ms"),
        summary(f"rows on the page, {LONG:,} messages", [most], "<= 60", unit="rows"),
        summary("longest pause while scrolling", [longest], "smooth", unit="ms"),
        summary(f"memory of the tab, {LONG:,} messages", [memory / 1000], "<= 250", unit="MB"),
    ]


def _message_ms(sender: Page, receiver: Page, text: str) -> float:
    """Return the time from pressing Enter until the text is on the other page."""
    receiver.evaluate(
        """text => { window.seen = new Promise(resolve => {
          const look = () => document.querySelector('[role=log]').innerText.includes(text)
            ? resolve(performance.timeOrigin + performance.now())
            : requestAnimationFrame(look);
          look();
        }); }""",
        text,
    )
    field = sender.get_by_role("textbox", name="Message")
    field.fill(text)
    sender.evaluate(
        """() => { window.pressed = new Promise(resolve => addEventListener('keydown',
          () => resolve(performance.timeOrigin + performance.now()), {once: true, capture: true}));
        }"""
    )
    field.press("Enter")
    pressed: float = sender.evaluate("window.pressed")
    seen: float = receiver.evaluate("window.seen")
    return seen - pressed


def _scroll(page: Page) -> tuple[int, float]:
    """Scroll up for a while; return the most rows on the page, and the longest frame."""
    found: tuple[int, float] = page.evaluate(
        f"""async () => {{
          const box = document.querySelector('[role=log]');
          let most = 0, longest = 0, before = performance.now();
          for (let step = 0; step < 300; step++) {{
            box.scrollBy(0, -120);
            await new Promise(requestAnimationFrame);
            const now = performance.now();
            longest = Math.max(longest, now - before);
            before = now;
            most = Math.max(most, {ROWS});
          }}
          return [most, longest];
        }}"""
    )
    return found


def _fill(folder: Path, address: str) -> None:
    """Have somebody at a command line write a long conversation to bob."""
    script = f"""
import asyncio
from untether.native import NativeClient
async def main():
    async with NativeClient.create(
        {str(folder / "carol")!r}, {address!r}, passphrase_file={str(folder / "passphrase")!r}
    ) as client:
        await client.register("carol-writes", device_name="carol")
        async with client.online():
            for number in range(1, {LONG} + 1):
                await client.send("bob-talks", f"{{number}} of {LONG}")
asyncio.run(main())
"""
    passphrase = folder / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("correct horse battery\n")
    subprocess.run([sys.executable, "-c", script], check=True)


def _register(page: Page, name: str) -> None:
    page.get_by_role("button", name="Create an account").first.click(timeout=PATIENCE_MS)
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Don’t lock").click()
    page.get_by_role("button", name="Continue without a lock").click()
    page.get_by_role("button", name="Use a passphrase").click()
    page.get_by_label("Passphrase", exact=True).fill("correct horse battery")
    page.get_by_label("Passphrase, once more").fill("correct horse battery")
    page.get_by_role("button", name="Set passphrase").click()
    page.get_by_role("heading", name="Your recovery code").wait_for(timeout=PATIENCE_MS)
    page.reload()
    page.get_by_role("heading", name="Chats", exact=True).wait_for(timeout=PATIENCE_MS)


def _write_to(page: Page, name: str, text: str) -> None:
    box = page.get_by_role("searchbox")
    box.fill(name)
    box.press("Enter")
    field = page.get_by_role("textbox", name="Message")
    field.fill(text)
    field.press("Enter")


@contextmanager
def _relay(folder: Path) -> Iterator[str]:
    if not (FOLDER / MANIFEST).exists():
        raise SystemExit("The web app is not built: run `make webapp`.")
    data = str(folder / "relay")
    command = [sys.executable, "-m", "untether", "serve", "--port", "0", "--data", data]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as relay:
        assert relay.stdout is not None
        try:
            yield relay.stdout.readline().strip()
        finally:
            relay.terminate()


def _transfer() -> int:
    """Return the bytes of everything that a first visit fetches; the build has the bound."""
    listed = json.loads((FOLDER / MANIFEST).read_text())["files"]
    files = [FOLDER / path for path in listed]
    compressed = [path.with_name(f"{path.name}.br") for path in files]
    return sum(
        (small if small.exists() else path).stat().st_size
        for path, small in zip(files, compressed, strict=True)
    )
