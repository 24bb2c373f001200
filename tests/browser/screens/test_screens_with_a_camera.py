"""The code of a new device is read by a camera: a fake one, which films a real QR code."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect
from tests.browser.screens.codes import LINK_TEXT, film
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import press, scan
from tests.browser.serving import CHROMIUM


@pytest.fixture
def filming(playwright_of_screens: Playwright, tmp_path: Path) -> Browser:
    """Start a Chromium whose camera films the code."""
    film(tmp_path / "code.y4m", LINK_TEXT)
    return playwright_of_screens.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={tmp_path / 'code.y4m'}",
        ],
    )


def test_the_camera_reads_the_code(filming: Browser, screens_address: str) -> None:
    """Pointing the camera is enough: the new device is shown, and the camera is let go."""
    page = filming.new_context(viewport={"width": 390, "height": 844}).new_page()
    page.goto(f"{screens_address}/?scene=home")
    scan(page)
    expect(page.get_by_role("dialog", name="Link this device?")).to_be_visible()
    expect(page.locator("video")).to_have_count(0)
    filming.close()


def test_a_code_that_was_refused_is_not_read_again_by_itself(
    filming: Browser, screens_address: str
) -> None:
    """It is still before the camera: the refusal stays, until the owner wants to scan again."""
    page = filming.new_context(viewport={"width": 390, "height": 844}).new_page()
    page.goto(f"{screens_address}/?scene=home")
    scan(page)
    press(page, "Don’t link")
    expect(page.get_by_role("alert")).to_contain_text("You chose not to link this device.")
    expect(page.locator("video")).to_be_visible()
    page.wait_for_timeout(1_500)  # a dozen pictures
    expect(page.get_by_role("alert")).to_contain_text("You chose not to link this device.")
    press(page, "Scan again")
    expect(page.get_by_role("dialog", name="Link this device?")).to_be_visible()
    filming.close()


def test_a_camera_that_is_not_allowed_is_said(browser: Browser, screens_address: str) -> None:
    """And what to do about it."""
    page = browser.new_context().new_page()
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => {"
        " throw new DOMException('no', 'NotAllowedError'); };"
    )
    page.goto(f"{screens_address}/?scene=home")
    scan(page)
    expect(page.get_by_role("alert")).to_contain_text("The camera is not allowed here.")
    page.context.close()


def test_without_a_camera_there_are_other_ways(open_scene: OpenScene) -> None:
    """No camera is no dead end: link text and picture stay."""
    page = open_scene("home")
    scan(page)
    expect(page.get_by_role("alert")).to_contain_text("No camera was found.")
    expect(page.get_by_text("Use a picture instead")).to_be_visible()
    expect(page.get_by_role("tab", name="Link text")).to_be_visible()
