"""The screens over a scripted engine, in the real browser and under the real policy."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).parents[3]
WEBAPP = ROOT / "webapp"
AXE = WEBAPP / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = ROOT / "build" / "screenshots"
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' blob:; media-src blob:; connect-src 'self'; worker-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types svelte-trusted-html app"
)
CHROMIUM = os.environ.get("UNTETHER_CHROMIUM") or shutil.which("chromium")

OpenScene = Callable[..., "Page"]


class PolicedFiles(SimpleHTTPRequestHandler):
    """Files under the policy that the relay sends with the app."""

    wbufsize = -1

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def built_screens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the screens over the scripted engine; skip where that is impossible."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    if not AXE.exists():
        pytest.skip("the packages of webapp/ are not installed (npm ci)")
    pytest.importorskip("playwright.sync_api")
    output = tmp_path_factory.mktemp("screens")
    subprocess.run(
        ["npx", "--no-install", "vite", "build", "--config", "tests/vite.config.ts"],
        cwd=WEBAPP,
        check=True,
        capture_output=True,
        env={**os.environ, "UNTETHER_SCREENS_OUT": str(output)},
    )
    return output


@pytest.fixture(scope="session")
def screens_address(built_screens: Path) -> Iterator[str]:
    """Serve the built screens on this machine."""
    handler = partial(PolicedFiles, directory=str(built_screens))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def browser(built_screens: Path) -> Iterator[Browser]:
    """Start one Chromium for all tests of the screens."""
    from playwright.sync_api import sync_playwright

    assert built_screens.exists()
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--use-fake-ui-for-media-stream"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def open_scene(browser: Browser, screens_address: str) -> Iterator[OpenScene]:
    """Open a scene at a size; every breach of the policy and every script error fails the test."""
    contexts: list[BrowserContext] = []
    broken: list[str] = []

    def open_page(scene: str, size: str = "phone", **options: Any) -> Page:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="en-GB",
            has_touch=size == "phone",
            service_workers="block",
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on(
            "console",
            lambda said: broken.append(said.text) if "Content Security" in said.text else None,
        )
        page.goto(f"{screens_address}/?scene={scene}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert broken == []
