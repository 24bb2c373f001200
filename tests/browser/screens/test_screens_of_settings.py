"""Settings show how things stand now, not how they stood at the start."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.sync_api import expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import press
from tests.browser.screens.steering import steer


def noon(year: int) -> int:
    """Return a time in January of a year, in milliseconds."""
    return int(datetime(year, 1, 15, 12, tzinfo=UTC).timestamp() * 1000)


def test_until_when_the_phone_may_be_away_is_asked_anew(open_scene: OpenScene) -> None:
    """The phone renews the lease silently: asked when the screen opens, and at each notice."""
    page = open_scene("companion")
    page.get_by_role("heading", name="Chats").wait_for()
    steer(page, me={"lease_ends_at": noon(2040)})
    press(page, "Settings")
    expect(page.get_by_text("before 15 Jan 2040")).to_be_visible()
    steer(page, me={"lease_ends_at": noon(2041)}, say={"event": "notice"})
    expect(page.get_by_text("before 15 Jan 2041")).to_be_visible()


def test_a_chosen_lease_is_there_again(open_scene: OpenScene) -> None:
    """Also after the screen was left; a choice that is refused is not shown as made."""
    page = open_scene("home")
    press(page, "Settings")
    lease = page.get_by_label("Without the phone")
    expect(lease).to_have_value("30")
    lease.select_option("7")
    press(page, "Back")
    press(page, "Settings")
    expect(lease).to_have_value("7")
    refused = {"error": "lease-too-long", "message": "Not for so long.", "hint": ""}
    steer(page, fail={"call": "set_lease", "problem": refused})
    lease.select_option("90")
    expect(page.get_by_role("alert")).to_contain_text("Not for so long.")
    expect(lease).to_have_value("7")
