"""Names and texts of others are shown as they are, and do nothing else."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import press


def open_first(page: Page) -> None:
    """Open the chat whose name and messages are hostile."""
    page.get_by_role("listitem").first.get_by_role("button").click()
    page.get_by_role("log").get_by_text("Not sent:").first.wait_for()


def test_markup_stays_text(open_scene: OpenScene) -> None:
    """Nothing of it becomes an element, and nothing of it runs."""
    page = open_scene("hostile")
    open_first(page)
    log = page.get_by_role("log")
    for _ in range(12):
        log.evaluate("box => box.scrollBy(0, -700)")
        page.wait_for_timeout(60)
    expect(log.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()
    assert page.locator("img, script:not([src])").count() == 0
    assert "broken" not in page.title()


def test_long_names_and_texts_keep_their_place(open_scene: OpenScene) -> None:
    """Nothing is wider than the window, and what is very long is folded."""
    page = open_scene("hostile")
    wide = "document.scrollingElement.scrollWidth - innerWidth"
    assert page.evaluate(wide) <= 0
    open_first(page)
    assert page.evaluate(wide) <= 0
    log = page.get_by_role("log")
    assert log.evaluate("box => box.scrollWidth - box.clientWidth") <= 0
    fold = page.get_by_role("button", name="Show all").first
    fold.click()
    expect(log.get_by_text("Very long. end").first).to_be_attached()


def test_direction_of_a_text_stays_inside_it(open_scene: OpenScene) -> None:
    """Each text of others is isolated, so that it can't turn round what stands beside it."""
    page = open_scene("hostile")
    open_first(page)
    isolated = (
        page.get_by_role("log")
        .locator("article p[dir=auto]")
        .evaluate_all(
            "texts => texts.every(text => getComputedStyle(text).unicodeBidi.startsWith('isolate'))"
        )
    )
    assert isolated
    title = page.get_by_role("heading", level=1).locator("bdi").first
    assert title.evaluate("name => getComputedStyle(name).unicodeBidi") == "isolate"


def test_the_whole_app_runs_from_right_to_left(open_scene: OpenScene) -> None:
    """With the direction turned round nothing is cut off or wider than the window."""
    for size in ("phone", "desktop"):
        page = open_scene("home", size)
        page.evaluate("document.documentElement.dir = 'rtl'")
        wide = "document.scrollingElement.scrollWidth - innerWidth"
        assert page.evaluate(wide) <= 0
        header = page.get_by_role("heading", name="Chats").bounding_box()
        button = page.get_by_role("button", name="Settings").bounding_box()
        assert header is not None and button is not None
        assert button["x"] < header["x"]
        press(page, "Settings")
        expect(page.get_by_text("App lock")).to_be_visible()
        assert page.evaluate(wide) <= 0
