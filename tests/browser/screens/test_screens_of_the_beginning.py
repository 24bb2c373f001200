"""The first steps: what was typed is checked at once, and every step leads back."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import (
    PASSPHRASE,
    check_recovery_code,
    choose_lock,
    press,
    see_recovery_code,
    show_link_code,
    type_passphrase,
)

CODE = "xjq3-gbob-s7cz-ffck-ocoa-kahh-3bvs-gbjl-eaby-psnz-k2n3-4iry-ohku-7i76"
PLACES = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]


def test_a_taken_name_is_said_at_the_form(open_scene: OpenScene) -> None:
    """Not after a passphrase was thought of; another name goes on."""
    page = open_scene("empty")
    press(page, "Create an account")
    name = page.get_by_label("Your name")
    name.fill("taken")
    press(page, "Continue")
    expect(page.get_by_role("alert")).to_contain_text("belongs to another account")
    expect(name).to_have_value("taken")
    name.fill("alice")
    press(page, "Continue")
    expect(page.get_by_text("What opens them?")).to_be_visible()


def test_a_name_takes_as_many_characters_as_it_may_have(open_scene: OpenScene) -> None:
    """And no more; the rule stands below."""
    page = open_scene("empty")
    press(page, "Create an account")
    name = page.get_by_label("Your name")
    name.press_sequentially("a" * 40, delay=0)
    expect(name).to_have_value("a" * 32)
    expect(page.get_by_text("2 to 32 small letters")).to_be_visible()


def test_an_unfinished_device_says_what_it_is(open_scene: OpenScene) -> None:
    """Locked before it had an account: it speaks of no messages, and can be begun anew."""
    page = open_scene("unfinished")
    type_passphrase(page)
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    page.get_by_label("Passphrase, once more").fill(PASSPHRASE)
    press(page, "Set passphrase")
    expect(page.get_by_role("alert")).to_contain_text("takes no new accounts")
    page.goto(page.url.replace("unfinished", "locked"))
    expect(page.get_by_role("heading", name="Go on where you stopped")).to_be_visible()
    expect(page.get_by_text("messages are encrypted")).to_be_hidden()
    press(page, "Begin anew")
    expect(page.get_by_role("dialog", name="Erase this device?")).to_be_visible()


def test_back_goes_step_by_step(open_scene: OpenScene) -> None:
    """From the lock to the form, with what was typed, then to the ways in; and forward."""
    page = open_scene("empty")
    choose_lock(page)
    protect = page.get_by_role("heading", name="Protect this device")
    expect(protect).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Your name")).to_have_value("alice")
    page.go_back()
    expect(page.get_by_role("button", name="Recover an account")).to_be_visible()
    page.go_forward()
    expect(page.get_by_label("Your name")).to_have_value("alice")
    page.go_forward()
    expect(protect).to_be_visible()
    press(page, "Back")
    press(page, "Back")
    expect(page.get_by_role("button", name="Recover an account")).to_be_visible()


def test_back_from_the_code_to_scan_ends_the_link(open_scene: OpenScene) -> None:
    """The form comes, and the way forward leads to no code that nobody waits at."""
    page = open_scene("empty")
    show_link_code(page)
    page.go_back()
    expect(page.get_by_label("Name of this device")).to_be_visible()
    page.go_forward()
    expect(page.get_by_label("Name of this device")).to_be_visible()
    expect(page.get_by_role("img", name="Code to scan")).to_be_hidden()


def test_back_from_the_check_shows_the_recovery_code_again(open_scene: OpenScene) -> None:
    """Back once more leads to the chats, where the code can be shown, and not out of the app."""
    page = open_scene("empty")
    check_recovery_code(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Your recovery code")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Chats", exact=True)).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", name="Chats", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Your recovery code")).to_be_hidden()


def test_after_the_beginning_back_leads_to_none_of_its_steps(open_scene: OpenScene) -> None:
    """The chats are the first screen then, also after other screens were opened."""
    page = open_scene("empty")
    check_recovery_code(page)
    page.get_by_label("group of your recovery code").fill(code_group(page))
    press(page, "Done")
    page.get_by_role("heading", name="Chats", exact=True).wait_for()
    press(page, "Settings")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Chats", exact=True)).to_be_visible()
    page.go_back()
    assert page.url == "about:blank"


def code_group(page: Page) -> str:
    """Return the group of the scripted recovery code that is asked for."""
    asked = page.locator("label", has_text="group of your recovery code").inner_text()
    place = PLACES.index(asked.split(" ")[2])
    return CODE.split("-")[place]


def test_a_saved_recovery_code_says_whose_it_is(open_scene: OpenScene) -> None:
    """Recovering takes the name and the server as well: the screen names one, the file both."""
    page = open_scene("empty")
    see_recovery_code(page)
    expect(page.get_by_text("this code and your name, alice,")).to_be_visible()
    with page.expect_download() as saving:
        press(page, "Save as a file")
    lines = saving.value.path().read_text().splitlines()
    assert lines[0] == "Recovery code of alice at https://chat.example.org"
    assert lines[2] == CODE


def test_who_chooses_a_lock_is_told_of_private_windows(open_scene: OpenScene) -> None:
    """No page can tell whether it is in one; where the browser keeps everything it is not said."""
    said = "In a private window"
    page = open_scene("empty")
    choose_lock(page)
    expect(page.get_by_text(said)).to_be_visible()

    page = open_scene("kept")
    choose_lock(page)
    expect(page.get_by_role("button", name="Use a passphrase")).to_be_visible()
    expect(page.get_by_text(said)).to_have_count(0)
