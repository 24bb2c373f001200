"""``verify-web`` asks as a real browser does: no server can tell them apart by a header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.serving import CHROMIUM

from untether.server import web_files
from untether.server.web_files import SHELL, WebFiles
from untether.server.web_requests import requests_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

Asked = tuple[str, tuple[tuple[str, str], ...]]
"""A path, and the headers in their order."""

VERSIONS = re.compile(r"\d+(?=\.0\.0\.0)")
VARIES = ("sec-ch-ua", "If-None-Match", "If-Range", "Range")
"""With the version, by a name that no browser has; and with the file."""


class Recorder(BaseHTTPRequestHandler):
    """Serves an installed app and notes what it was asked."""

    protocol_version = "HTTP/1.1"
    app: WebFiles
    asked: set[Asked]

    def do_GET(self) -> None:
        """Note, and answer."""
        path = self.path.partition("?")[0].lstrip("/")
        self.asked.add(noted(path, self.headers.items()))
        file = self.app.files.get(path or SHELL)
        self.send_response(404 if file is None else 200)
        for name, value in {} if file is None else file.headers.items():
            self.send_header(name, value)
        content = b"" if file is None else file.content
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(OSError):  # the browser has left
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def noted(path: str, headers: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> Asked:
    """Leave out what each version, and each file, has another of."""
    kept = []
    for name, value in headers:
        if name in VARIES:
            kept.append((name, "…"))
        elif name != "Host":
            kept.append((name, VERSIONS.sub("…", value).replace("Headless", "")))
    return path, tuple(kept)


@contextmanager
def recording(app: WebFiles) -> Iterator[tuple[str, set[Asked]]]:
    """Serve; yields the address and what was asked until now."""
    asked: set[Asked] = set()
    handler = type("Handler", (Recorder,), {"app": app, "asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}", asked
        server.shutdown()


@pytest.fixture(scope="session")
def browser(playwright_of_the_app: Playwright) -> Iterator[Browser]:
    """A browser that speaks what ``verify-web`` says that it speaks."""
    browser = playwright_of_the_app.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--lang=en-US"]
    )
    yield browser
    browser.close()


def test_whatever_a_browser_asks_is_asked_by_the_command(
    browser: Browser, app_folder: Path
) -> None:
    """A first visit, a second one, an update, an installation: each request, header by header."""
    app = web_files.load(app_folder)
    assert app is not None
    with recording(app) as (url, asked):
        visit(browser, url, asked)
        own = {
            noted(address, list(asking.items()))
            for path, file in app.files.items()
            for address in ({path, ""} if path == SHELL else {path})
            for asking in requests_for(address, file, url)
        }
    listed = {one for one in asked if (one[0] or SHELL) in app.files}
    assert {path for path, _ in listed} >= set(app.manifest.files)
    assert sorted(listed - own) == []


def visit(browser: Browser, url: str, asked: set[Asked]) -> None:
    """Open the app, again, and have it look for an update; then without a service worker."""
    context = browser.new_context()
    page = context.new_page()
    for _ in range(2):
        page.goto(url)
        page.wait_for_function("navigator.serviceWorker.ready")
        expect(page.get_by_role("button").first).to_be_visible(timeout=60_000)
    page.evaluate("navigator.serviceWorker.ready.then((one) => one.update())")
    context.close()
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    for _ in range(2):
        page.goto(url)
        context.new_cdp_session(page).send("Page.getAppManifest")
        expect(page.get_by_role("button").first).to_be_visible(timeout=60_000)
    context.close()
