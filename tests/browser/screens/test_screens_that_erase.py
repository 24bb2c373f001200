"""What erasing a device leaves is said before, for what this device is."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import press

ERASE = "Erase this device"
WAYS = {
    "home": (("Settings", ERASE), "Without it the account is lost for good"),
    "unseen": (("Settings", ERASE), "nobody can bring this account back"),
    "companion": (("Settings", ERASE), "This one stays in their list until your phone logs it out"),
    "logged-out": (
        ("Read old messages", "Settings", ERASE),
        "To come back, link this device again",
    ),
    "locked": (("I can’t unlock it",), "If this is your account’s phone"),
}
"""Scene → what leads to the question, and what it says."""


@pytest.mark.parametrize("scene", WAYS)
def test_what_erasing_leaves_is_said(scene: str, open_scene: OpenScene) -> None:
    """The red line stands only where the recovery code was not kept."""
    page = open_scene(scene)
    ways, says = WAYS[scene]
    for name in ways:
        press(page, name)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(says)).to_be_visible()
    warned = dialog.get_by_text("You haven’t kept your recovery code yet")
    expect(warned).to_have_count(1 if scene == "unseen" else 0)
    expect(dialog.get_by_role("button", name="Erase")).to_be_visible()
