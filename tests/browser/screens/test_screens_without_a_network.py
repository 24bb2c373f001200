"""The app installs, and starts without a network."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Browser, expect

import build_webapp


def test_the_shell_starts_offline(
    browser: Browser, built_screens: Path, screens_address: str
) -> None:
    """After one visit the screens come from the browser itself."""
    build_webapp.name_files(built_screens)
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{screens_address}/?scene=home")
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    context.set_offline(offline=True)
    page.reload()
    expect(page.get_by_text("david.weiss")).to_be_visible()
    expect(page.get_by_text("You are offline")).to_be_visible()
    context.close()


def test_the_app_can_be_installed(built_screens: Path) -> None:
    """The manifest names icons that are there, with the sizes it says."""
    manifest = json.loads((built_screens / "manifest.webmanifest").read_text())
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        picture = (built_screens / icon["src"].lstrip("/")).read_bytes()
        if icon["type"] == "image/png":
            width = int.from_bytes(picture[16:20], "big")
            assert icon["sizes"] == f"{width}x{width}"
