"""The list of devices says what is known of each, and not more."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import see_devices


def test_the_last_activity_is_told_to_the_hour(open_scene: OpenScene) -> None:
    """The relay keeps the hour only, so no minutes are told; long ago it is the day."""
    page = open_scene("full")
    see_devices(page)
    cards = page.get_by_role("listitem")
    laptop = cards.filter(has_text="Laptop")  # four minutes ago
    expect(laptop).to_contain_text("Last active within the last hour")
    expect(cards.filter(has_text="Kitchen")).to_contain_text("Last active 1 hour ago")
    day = re.compile(r"Last active (yesterday|\d+ \w+ \d{4})")
    expect(cards.filter(has_text="Work browser")).to_contain_text(day)
    expect(page.get_by_text("minutes ago")).to_have_count(0)


def test_a_companion_counts_no_places(open_scene: OpenScene) -> None:
    """How many may be linked is the phone's business; the phone itself is none of them."""
    page = open_scene("companion")
    see_devices(page)
    expect(page.get_by_text("Your other devices")).to_be_visible()
    expect(page.get_by_text("of 4 linked")).to_have_count(0)
