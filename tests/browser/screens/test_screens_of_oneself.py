"""A chat with oneself speaks of one person."""

from __future__ import annotations

from playwright.sync_api import expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import open_chat


def test_notes_to_oneself_name_nobody_else(open_scene: OpenScene) -> None:
    """They go to the own devices, and there is no security code to compare."""
    page = open_scene("oneself", "desktop")
    open_chat(page, "alice")
    expect(page.get_by_text("to your own devices only")).to_be_visible()
    expect(page.get_by_text("you and alice")).to_have_count(0)
    expect(page.get_by_role("button", name="Security code", exact=True)).to_have_count(0)
