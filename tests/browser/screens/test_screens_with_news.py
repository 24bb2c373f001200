"""What people should know about their own account stands above the chats."""

from __future__ import annotations

from playwright.sync_api import expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.steering import axe_violations


def test_what_needs_a_person_is_an_alert(open_scene: OpenScene) -> None:
    """It is red and said at once; what is only to be known is neither."""
    page = open_scene("news")
    grave = page.get_by_role("alert").filter(has_text="A NEW PHONE")
    plain = page.get_by_role("status").filter(has_text="was linked")
    expect(grave).to_be_visible()
    expect(plain).to_be_visible()
    colour = "line => getComputedStyle(line).backgroundColor"
    assert grave.evaluate(colour) != plain.evaluate(colour)
    assert axe_violations(page) == []
    grave.get_by_role("button", name="OK").click()
    expect(grave).to_have_count(0)
