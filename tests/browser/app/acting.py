"""What people do in the app, by what they see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.browser.screens.scenes import press

if TYPE_CHECKING:
    from playwright.sync_api import Page

PASSPHRASE = "correct horse battery"
PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def choose_passphrase(page: Page) -> None:
    """Protect with a passphrase."""
    press(page, "Use a passphrase")
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    page.get_by_label("Passphrase, once more").fill(PASSPHRASE)
    press(page, "Set passphrase")


def confirm_with_passphrase(page: Page) -> None:
    """Prove that it is the owner."""
    page.get_by_role("dialog").get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    press(page, "Confirm with passphrase")


def register(page: Page, name: str, *, passkey: bool = False) -> str:
    """Make an account and keep its recovery code; returns the code."""
    press(page, "Create an account")
    page.get_by_label("Your name").fill(name)
    press(page, "Continue")
    if passkey:
        press(page, "Use a passkey")
    else:
        choose_passphrase(page)
    page.get_by_role("heading", name="Your recovery code").wait_for()
    groups = page.get_by_role("list", name="Your recovery code").get_by_role("listitem")
    code = groups.all_inner_texts()
    press(page, "I have written it down")
    label = page.locator("label").first.inner_text()
    asked = next(at for at, place in enumerate(PLACES) if place in label)
    page.get_by_role("textbox").fill(code[asked])
    press(page, "Done")
    page.get_by_role("heading", name="Chats", exact=True).wait_for()
    return "-".join(code)


def offer_to_be_linked(page: Page) -> str:
    """Show the code of a new device without a lock; returns its text."""
    press(page, "Link this device")
    press(page, "Show the code")
    press(page, "Don’t lock")
    press(page, "Continue without a lock")
    page.get_by_role("img", name="Code to scan").wait_for()
    page.locator("summary").click()
    return page.get_by_role("textbox", name="Link text").input_value()


def open_scanner(page: Page) -> None:
    """On the phone: begin to link a device."""
    press(page, "Linked devices")
    press(page, "Link a device")


def give_link_text(page: Page, text: str) -> None:
    """On the phone: give the link text instead of a picture."""
    open_scanner(page)
    page.get_by_role("tab", name="Link text").click()
    page.get_by_label("Link text of the new device").fill(text)
    page.get_by_role("button", name="Link", exact=True).click()


def write_to(page: Page, name: str, text: str) -> None:
    """Write to somebody by name."""
    box = page.get_by_role("searchbox")
    box.fill(name)
    box.press("Enter")
    send(page, text)


def send(page: Page, text: str) -> None:
    """Write in the conversation that is open; Enter begins a line where keys are on the screen."""
    page.get_by_role("textbox", name=re.compile("message", re.IGNORECASE)).fill(text)
    page.get_by_role("button", name="Send").click()
