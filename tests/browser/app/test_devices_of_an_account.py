"""Devices come and go: refused verification, log-out, a lost phone."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from tests.browser.app.acting import (
    choose_passphrase,
    confirm_with_passphrase,
    give_link_text,
    offer_to_be_linked,
    register,
    write_to,
)
from tests.browser.app.conftest import PHONE, OpenBrowser
from tests.browser.screens.authenticators import with_passkeys
from tests.browser.screens.scenes import press


def private_files(page: Page) -> list[str]:
    """Return the names of the files that the app keeps."""
    names: list[str] = page.evaluate(
        "navigator.storage.getDirectory().then(root => root.getDirectoryHandle('untether'))"
        ".then(async folder => { const names = [];"
        " for await (const name of folder.keys()) names.push(name); return names; })"
    )
    return names


def linked(phone: Page, laptop: Page) -> None:
    """Link a laptop by its text."""
    give_link_text(phone, offer_to_be_linked(laptop))
    press(phone, "Link it")
    confirm_with_passphrase(phone)
    press(laptop, "Yes, it’s mine")
    expect(laptop.get_by_role("heading", name="Chats", exact=True)).to_be_visible()
    press(phone, "Done")


def test_a_log_out_cuts_a_laptop_off(open_browser: OpenBrowser) -> None:
    """It says so at once, reads what it has, keeps nothing when erased, can be linked again."""
    phone, laptop = open_browser("phone", **PHONE), open_browser("laptop")
    register(phone, "alice-out")
    linked(phone, laptop)
    write_to(laptop, "alice-out", "written on the laptop")
    expect(laptop.get_by_role("log").get_by_text("written on the laptop")).to_be_visible()
    phone.get_by_role("button", name="Log out").click()
    phone.get_by_role("dialog").get_by_role("button", name="Log out").click()
    expect(laptop.get_by_text("This device was logged out")).to_be_visible()
    expect(phone.get_by_text("0 of 4 linked")).to_be_visible()
    assert "chats.sealed" not in private_files(laptop)

    laptop.reload()
    expect(laptop.get_by_text("This device was logged out")).to_be_visible()
    press(laptop, "Read old messages")
    laptop.get_by_role("listitem").get_by_role("button").click()
    expect(laptop.get_by_role("log").get_by_text("written on the laptop")).to_be_visible()
    assert "chats.sealed" not in private_files(laptop)
    expect(laptop.get_by_text("You can read here, but not write")).to_be_visible()
    expect(laptop.get_by_role("textbox", name="Message")).to_have_count(0)
    laptop.reload()
    press(laptop, "Erase this device and start again")
    laptop.get_by_role("dialog").get_by_role("button", name="Erase").click()
    press(phone, "Back")
    linked(phone, laptop)


def test_whoever_is_not_verified_links_nothing(open_browser: OpenBrowser) -> None:
    """The authenticator refuses: the question stays, and given up, nobody was linked."""
    phone, laptop = open_browser("phone", **PHONE), open_browser("laptop")
    session, authenticator = with_passkeys(phone)
    register(phone, "alice-unverified", passkey=True)
    session.send(
        "WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False}
    )
    give_link_text(phone, offer_to_be_linked(laptop))
    press(phone, "Link it")
    press(phone, "Confirm with passkey")
    dialog = phone.get_by_role("dialog")
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(phone.get_by_text("You have stopped the verification")).to_be_visible()
    expect(laptop.get_by_role("alert")).to_be_visible()
    expect(laptop.get_by_role("heading", name="Chats", exact=True)).to_have_count(0)
    press(phone, "Back")
    expect(phone.get_by_text("0 of 4 linked")).to_be_visible()


def test_an_account_comes_to_a_new_phone(open_browser: OpenBrowser) -> None:
    """The recovery code, typed on a new phone; the laptop that stays goes on."""
    phone, laptop, new = (
        open_browser("phone", **PHONE),
        open_browser("laptop"),
        open_browser("new", **PHONE),
    )
    code = register(phone, "alice-lost")
    linked(phone, laptop)
    phone.close()
    press(new, "Recover an account")
    new.get_by_label("Your name").fill("alice-lost")
    new.get_by_label("Recovery code").fill(code)
    press(new, "Continue")
    choose_passphrase(new)
    new.get_by_role("checkbox").check()
    new.locator("form").get_by_role("button").click()
    expect(new.get_by_role("heading", name="Chats", exact=True)).to_be_visible()
    press(new, "Linked devices")
    expect(new.get_by_text("1 of 4 linked")).to_be_visible()
    expect(laptop.get_by_text("A NEW PHONE acts for your account")).to_be_visible()


def test_a_laptop_that_logs_itself_out_keeps_nothing(open_browser: OpenBrowser) -> None:
    """Its owner was told that the messages go: there are none to read, now or after a reload."""
    phone, laptop = open_browser("phone", **PHONE), open_browser("laptop")
    register(phone, "alice-leaves")
    linked(phone, laptop)
    write_to(laptop, "alice-leaves", "written on the laptop")
    expect(laptop.get_by_role("log").get_by_text("written on the laptop")).to_be_visible()
    press(laptop, "Linked devices")
    press(laptop, "Log out")
    dialog = laptop.get_by_role("dialog")
    expect(dialog.get_by_text("Its keys and its messages are deleted here")).to_be_visible()
    dialog.get_by_role("button", name="Log out").click()
    for _ in range(2):
        expect(laptop.get_by_text("it has no messages left")).to_be_visible()
        expect(laptop.get_by_role("button", name="Read old messages")).to_have_count(0)
        laptop.reload()


def test_a_displaced_phone_takes_its_account_back(open_browser: OpenBrowser) -> None:
    """Somebody else recovered the account: the phone says so, and is the phone again."""
    phone, thief = open_browser("phone", **PHONE), open_browser("thief", **PHONE)
    code = register(phone, "alice-displaced")
    write_to(phone, "alice-displaced", "a note to keep")
    press(thief, "Recover an account")
    thief.get_by_label("Your name").fill("alice-displaced")
    thief.get_by_label("Recovery code").fill(code)
    press(thief, "Continue")
    choose_passphrase(thief)
    expect(thief.get_by_role("heading", name="Chats", exact=True)).to_be_visible()

    acts = "Another phone acts for your account now"
    expect(phone.get_by_text(acts)).to_be_visible()
    press(phone, "What now?")
    press(phone, "Recover on this phone")
    confirm_with_passphrase(phone)
    expect(phone.get_by_text(acts)).to_have_count(0)
    expect(thief.get_by_text(acts)).to_be_visible()
    press(phone, "Back")
    expect(phone.get_by_text("a note to keep").first).to_be_visible()
