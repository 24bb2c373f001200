"""A phone whose account another one acts for: it says so everywhere, and takes the account back."""

from __future__ import annotations

from playwright.sync_api import expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import PASSPHRASE, open_chat, press, see_devices


def test_a_displaced_phone_takes_the_account_back(open_scene: OpenScene) -> None:
    """Above a chat, too; the list of devices is no empty page; then all is as before."""
    page = open_scene("displaced")
    banner = page.get_by_role("status").filter(has_text="Another phone acts for your account now")
    open_chat(page, "bob")
    expect(banner).to_be_visible()
    press(page, "Back")
    press(page, "Linked devices")
    expect(page.get_by_text("This device is not among your devices now")).to_be_visible()
    press(page, "Back")

    banner.get_by_role("button", name="What now?").click()
    expect(page.get_by_text("Without the phone")).to_have_count(0)
    press(page, "Recover on this phone")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Which of these devices are still yours?")).to_be_visible()
    dialog.get_by_role("checkbox").first.check()
    press(page, "Keep the chosen ones")
    dialog.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    press(page, "Confirm with passphrase")
    expect(banner).to_have_count(0)
    expect(page.get_by_role("button", name="Recover on this phone")).to_have_count(0)
    expect(page.get_by_text("Without the phone")).to_be_visible()


def test_a_phone_that_was_put_back_is_recovered_by_its_settings(open_scene: OpenScene) -> None:
    """It still sends and receives, but may sign no list: there is no button for it."""
    page = open_scene("put-back")
    expect(page.get_by_role("status").filter(has_text="put back from an old copy")).to_be_visible()
    see_devices(page)
    expect(page.get_by_text("until you recover your account")).to_be_visible()
    for absent in ("Link a device", "Log out"):
        expect(page.get_by_role("button", name=absent)).to_have_count(0)
    press(page, "What now?")
    expect(page.get_by_role("button", name="Recover on this phone")).to_be_visible()


def test_a_companion_that_is_not_listed_is_sent_to_its_phone(open_scene: OpenScene) -> None:
    """A relay that shows no reason is healed by the phone, and this is not the phone."""
    page = open_scene("unlisted")
    expect(page.get_by_text("Open Untether on your phone: that puts it right")).to_be_visible()
    press(page, "Settings")
    expect(page.get_by_role("button", name="Recover on this phone")).to_have_count(0)
