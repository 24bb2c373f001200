"""Every screen, at two widths, light and dark: it is there, and everybody can use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.screens.conftest import PICTURES, SIZES, OpenScene
from tests.browser.screens.scenes import SCREENS, security_code
from tests.browser.screens.steering import axe_violations

if TYPE_CHECKING:
    from playwright.sync_api import Page


LOOKED_AT_BY_AXE = {("phone", "light"): None, ("desktop", "dark"): ["color-contrast"]}
"""All rules once, and the contrast of both sets of colours."""


TWO_FRAMES = """new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"""


def show(page: Page, size: str, scheme: str) -> None:
    """Change the window and the colours."""
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(
        color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce"
    )


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    width: int = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    return width


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_there_and_accessible(name: str, open_scene: OpenScene) -> None:
    """It shows what it is for; axe finds nothing; nothing is wider than the window."""
    screen = SCREENS[name]
    page = open_scene(screen.scene)
    screen.go(page)
    page.get_by_text(screen.words).first.wait_for()
    PICTURES.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        for scheme in ("light", "dark"):
            show(page, size, scheme)
            page.evaluate(TWO_FRAMES)  # colours settle
            page.screenshot(path=PICTURES / f"{name}-{size}-{scheme}.png")
            if (size, scheme) in LOOKED_AT_BY_AXE:
                rules = LOOKED_AT_BY_AXE[size, scheme]
                assert axe_violations(page, rules) == [], (size, scheme)
            assert overflow(page) <= 0, size


@pytest.mark.parametrize("name", ["chats", "conversation", "devices", "settings", "log-out"])
def test_buttons_are_large_enough_for_a_finger(name: str, open_scene: OpenScene) -> None:
    """Every button of these screens has at least 44 by 44 pixels."""
    screen = SCREENS[name]
    page = open_scene(screen.scene)
    screen.go(page)
    page.get_by_text(screen.words).first.wait_for()
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        if box is not None:
            assert min(box["width"], box["height"]) >= 43.5, button.inner_text()


def test_digits_that_are_the_same_are_marked(open_scene: OpenScene) -> None:
    """The security code page shows sixty digits, and afterwards that they were compared."""
    page = open_scene("home")
    security_code(page)
    digits = page.get_by_role("list", name="Security code").get_by_role("listitem")
    expect(digits).to_have_count(12)
    page.get_by_role("button", name="The digits are the same").click()
    expect(page.get_by_text("Verified", exact=True)).to_be_visible()
