"""The app as people have it: a real relay that serves it, real browsers, a command-line friend."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.browser.app.built_app import built_app
from tests.browser.serving import CHROMIUM, needs_a_browser
from tests.commands.command_line import Device
from tests.commands.conftest import (  # noqa: F401 (fixtures)
    _nothing_left_running,
    _own_run,
    passphrase_file,
)
from tests.commands.relays import Relay

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Playwright

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
OpenBrowser = Callable[..., "Page"]
PATIENCE_MS = 30_000
BREACHES = ("Content Security", "Trusted", "never retrieved", "Traceback")


class Friend:
    """Somebody at a command line; each command is a process: Playwright's loop runs in this one."""

    def __init__(self, name: str, device: Device, relay: Relay) -> None:
        self.name = name
        self._device = device
        done = device.process("register", name, "--server", relay.url)
        assert done.status == 0, done.errors

    def send(self, name: str, text: str) -> None:
        """Send a message, which must reach the relay."""
        sent = self._device.process("send", name, "-m", text)
        assert sent.line["state"] == "sent", sent.errors

    def receives(self, text: str) -> bool:
        """Receive until this text comes."""
        following = self._device.start("receive", "--follow")
        try:
            return bool(following.until_text(text))
        finally:
            following.end(signal.SIGTERM)


@pytest.fixture(scope="session")
def app_folder() -> Path:
    """Build the app; skip where that is impossible."""
    needs_a_browser()
    return built_app()


@pytest.fixture(scope="session")
def relay(
    app_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    _own_run: None,  # noqa: F811
) -> Iterator[Relay]:
    """A relay that serves the app."""
    running = Relay(tmp_path_factory.mktemp("relay"), settings=f'web_app = "{app_folder}"').start()
    yield running
    running.stop_if_running()


@pytest.fixture
def friend(relay: Relay, tmp_path: Path, passphrase_file: Path) -> Callable[[str], Friend]:  # noqa: F811
    """Register somebody at a command line."""
    return lambda name: Friend(name, Device(tmp_path / name, passphrase_file), relay)


@pytest.fixture(scope="session")
def playwright_of_the_app(app_folder: Path) -> Iterator[Playwright]:
    """Start Playwright, once there is something to open."""
    from playwright.sync_api import expect, sync_playwright

    assert app_folder.exists()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture
def open_browser(
    playwright_of_the_app: Playwright, relay: Relay, tmp_path: Path
) -> Iterator[OpenBrowser]:
    """Open the app in a browser of its own; breaches of the policy and script errors fail.

    The same ``name`` is the same browser profile; ``film`` is what its camera sees.
    """
    from playwright.sync_api import Error

    contexts: list[BrowserContext] = []
    broken: list[str] = []

    def opened(name: str, film: Path | None = None, **options: Any) -> Page:
        camera = [] if film is None else [f"--use-file-for-fake-video-capture={film}"]
        context = playwright_of_the_app.chromium.launch_persistent_context(
            tmp_path / f"profile-{name}",
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                *camera,
            ],
            locale="en-GB",
            **(options or DESKTOP),
        )
        contexts.append(context)
        page = context.pages[0]
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda said: _note_breach(said.text, broken))
        page.goto(relay.url)
        return page

    yield opened
    for context in contexts:
        with suppress(Error):  # it was killed
            context.close()
    assert broken == []


def processes_of(profile: Path) -> list[int]:
    """Return the processes of the browser that uses a profile, its first one first."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(profile).encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return sorted(found)


def _note_breach(said: str, broken: list[str]) -> None:
    if any(mark in said for mark in BREACHES):
        broken.append(said)
