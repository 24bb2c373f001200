"""How to come to each screen: its scene, and what a person does there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from tests.browser.screens.steering import steer

if TYPE_CHECKING:
    from playwright.sync_api import Page

PASSPHRASE = "correct horse"
LICENCES = "Source code: licences.example\n\n" + "Permission is granted to anybody. " * 400


class Screen(NamedTuple):
    """A screen: where it begins, what leads there, and by which words it is known."""

    scene: str
    words: str
    go: Callable[[Page], None] = lambda page: None


def press(page: Page, name: str) -> None:
    """Press the first button of a name."""
    page.get_by_role("button", name=name).first.click()


def open_chat(page: Page, name: str) -> None:
    """Open a chat from the list."""
    page.get_by_role("listitem").filter(has_text=name).first.get_by_role("button").click()


def fill_account(page: Page) -> None:
    """Fill in the form for a new account."""
    press(page, "Create an account")
    page.get_by_label("Your name").fill("alice")


def choose_lock(page: Page) -> None:
    """Come to the choice of what protects the device."""
    fill_account(page)
    press(page, "Continue")


def show_licences(page: Page) -> None:
    """Ask for the licences in the settings; the build writes them, and no build was here."""
    page.route("**/licenses.txt", lambda route: route.fulfill(body=LICENCES))
    press(page, "Settings")
    press(page, "Licences of the software")


def type_passphrase(page: Page) -> None:
    """Come to the form for a new passphrase."""
    choose_lock(page)
    press(page, "Use a passphrase")


def see_recovery_code(page: Page) -> None:
    """Register with a passphrase."""
    type_passphrase(page)
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    page.get_by_label("Passphrase, once more").fill(PASSPHRASE)
    press(page, "Set passphrase")
    page.get_by_role("heading", name="Your recovery code").wait_for()


def check_recovery_code(page: Page) -> None:
    """Say that the recovery code is written down."""
    see_recovery_code(page)
    press(page, "I have written it down")


def show_link_code(page: Page) -> None:
    """Have this device show its code."""
    press(page, "Link this device")
    press(page, "Show the code")
    press(page, "Don’t lock")
    press(page, "Continue without a lock")
    page.get_by_role("img", name="Code to scan").wait_for()


def be_scanned(page: Page) -> None:
    """Have the phone scan the code."""
    show_link_code(page)
    steer(page, step="scanned")


def recover(page: Page) -> None:
    """Recover an account that has companions."""
    press(page, "Recover an account")
    page.get_by_label("Your name").fill("alice")
    page.get_by_label("Recovery code").fill("xjq3 gbob")
    press(page, "Continue")
    press(page, "Use a passphrase")
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    page.get_by_label("Passphrase, once more").fill(PASSPHRASE)
    press(page, "Set passphrase")


def unlock_wrongly(page: Page) -> None:
    """Type a wrong passphrase."""
    page.get_by_label("Passphrase", exact=True).fill("wrong")
    press(page, "Unlock")


def see_devices(page: Page) -> None:
    """Open the list of devices."""
    press(page, "Linked devices")
    page.get_by_text("This device", exact=True).wait_for()


def log_out(page: Page) -> None:
    """Ask to log the first companion out."""
    see_devices(page)
    press(page, "Log out")


def scan(page: Page) -> None:
    """Open the scanner."""
    see_devices(page)
    press(page, "Link a device")


def paste(page: Page) -> None:
    """Open the field for a link text."""
    scan(page)
    page.get_by_role("tab", name="Link text").click()


def approve(page: Page) -> None:
    """Give a link text."""
    paste(page)
    page.get_by_label("Link text of the new device").fill("untether://link/1/x")
    page.get_by_role("button", name="Link", exact=True).click()


def verify(page: Page) -> None:
    """Agree to link."""
    approve(page)
    press(page, "Link it")


def compare(page: Page) -> None:
    """Prove who one is."""
    verify(page)
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    press(page, "Confirm with passphrase")
    page.get_by_text("Compare the codes").wait_for()


def finish_link(page: Page) -> None:
    """Have the new device accept."""
    compare(page)
    steer(page, step="accepted")


def security_code(page: Page) -> None:
    """Open the security code of a contact."""
    open_chat(page, "bob")
    page.get_by_role("button", name="Security code", exact=True).click()


def look_for_nobody(page: Page) -> None:
    """Look for a name that nobody has."""
    box = page.get_by_role("searchbox")
    box.fill("nobody")
    box.press("Enter")


def fill_storage(page: Page) -> None:
    """Let the storage run full."""
    page.get_by_role("heading", name="Chats").wait_for()
    steer(page, say={"event": "storage_full"})


def lose_relay(page: Page) -> None:
    """Let the relay go away."""
    page.get_by_role("heading", name="Chats").wait_for()
    steer(page, say={"event": "connection", "connected": False})


def be_logged_out(page: Page) -> None:
    """Log this device out from the phone, which leaves its messages."""
    page.get_by_role("heading", name="Chats").wait_for()
    steer(page, me={"state": "logged-out"}, say={"event": "logged_out"})


def be_wiped(page: Page) -> None:
    """Log this device out from the phone, with its messages."""
    page.get_by_role("heading", name="Chats").wait_for()
    steer(page, me={"state": "logged-out", "has_messages": False}, say={"event": "logged_out"})


def erase(page: Page) -> None:
    """Ask to erase a device that is open."""
    press(page, "Settings")
    press(page, "Erase this device")


def give_up(page: Page) -> None:
    """Ask to erase a device that can't be unlocked."""
    press(page, "I can’t unlock it")


SCREENS = {
    "welcome": Screen("empty", "Messages that don’t need your phone"),
    "new-account": Screen("empty", "Name of this device", fill_account),
    "protect": Screen("empty", "What opens them?", choose_lock),
    "passphrase": Screen("empty", "Passphrase, once more", type_passphrase),
    "recovery-code": Screen("empty", "Your recovery code", see_recovery_code),
    "recovery-code-check": Screen("empty", "Just to be sure", check_recovery_code),
    "recover-which-stay": Screen("empty", "Which of these devices", recover),
    "link-code": Screen("empty", "Scan this with your phone", show_link_code),
    "link-is-mine": Screen("empty", "Is this your account?", be_scanned),
    "lock": Screen("locked", "The passphrase is wrong", unlock_wrongly),
    "lock-erase": Screen("locked", "Erase this device?", give_up),
    "chats": Screen("home", "david.weiss"),
    "no-chats": Screen("no-chats", "No chats yet"),
    "search": Screen("failing", "Nobody has the name", look_for_nobody),
    "conversation": Screen("home", "Coffee is there already", lambda page: open_chat(page, "bob")),
    "stranger": Screen("home", "not among your contacts", lambda page: open_chat(page, "3kq7")),
    "changed": Screen("home", "is another account now", lambda page: open_chat(page, "frank")),
    "devices": Screen("home", "Work browser", see_devices),
    "devices-companion": Screen("companion", "linked and logged out on your phone", see_devices),
    "devices-full": Screen("full", "4 of 4 linked", see_devices),
    "no-devices": Screen("no-chats", "No other devices yet", see_devices),
    "log-out": Screen("home", "Log out “Laptop”?", log_out),
    "approve-scan": Screen("home", "point your camera", scan),
    "approve-paste": Screen("home", "Link text of the new device", paste),
    "approve-failed": Screen("failing", "has expired", approve),
    "approve-ask": Screen("home", "Link this device?", approve),
    "approve-verify": Screen("home", "Is it you?", verify),
    "approve-compare": Screen("home", "Compare the codes", compare),
    "approve-done": Screen("home", "is linked", finish_link),
    "security-code": Screen("home", "nobody is between you", security_code),
    "settings": Screen("home", "App lock", lambda page: press(page, "Settings")),
    "settings-no-lock": Screen(
        "unlocked", "This device has no lock", lambda page: press(page, "Settings")
    ),
    "settings-licences": Screen("home", "Source code: licences.example", show_licences),
    "erase-phone": Screen("unseen", "haven’t kept your recovery code yet: erased now", erase),
    "erase-companion": Screen("companion", "in their list until your phone logs it out", erase),
    "storage-full": Screen("home", "storage is full", fill_storage),
    "relay-down": Screen("home", "can’t be reached", lose_relay),
    "displaced": Screen(
        "displaced", "Recover on this phone", lambda page: press(page, "What now?")
    ),
    "logged-out": Screen("home", "its messages were not", be_logged_out),
    "wiped": Screen("home", "it has no messages left", be_wiped),
    "engine-failed": Screen("failed", "Untether can’t start here"),
}
