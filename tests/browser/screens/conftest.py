"""The screens over a scripted engine, in the real browser and under the real policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.browser.serving import CHROMIUM, ROOT, built, needs_a_browser, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

PICTURES = ROOT / "build" / "screenshots"
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}

OpenScene = Callable[..., "Page"]


@pytest.fixture(scope="session")
def built_screens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the screens over the scripted engine; skip where that is impossible."""
    needs_a_browser()
    return built("tests/vite.config.ts", tmp_path_factory.mktemp("screens"))


@pytest.fixture(scope="session")
def screens_address(built_screens: Path) -> Iterator[str]:
    """Serve the built screens on this machine."""
    with served(built_screens) as address:
        yield address


@pytest.fixture(scope="session")
def playwright_of_screens(built_screens: Path) -> Iterator[Playwright]:
    """Start Playwright, once there is something to show."""
    from playwright.sync_api import sync_playwright

    assert built_screens.exists()
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright_of_screens: Playwright) -> Iterator[Browser]:
    """Start one Chromium for all tests of the screens."""
    browser = playwright_of_screens.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--use-fake-ui-for-media-stream"]
    )
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
