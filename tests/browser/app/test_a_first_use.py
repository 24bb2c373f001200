"""The three steps of a first use, in real browsers: register, link by camera, write from both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect
from tests.browser.app.acting import (
    offer_to_be_linked,
    open_scanner,
    register,
    send,
    write_to,
)
from tests.browser.app.conftest import PHONE, Friend, OpenBrowser
from tests.browser.screens.authenticators import with_passkeys
from tests.browser.screens.codes import film
from tests.browser.screens.scenes import press


def test_phone_and_laptop(
    open_browser: OpenBrowser, friend: Callable[[str], Friend], tmp_path: Path
) -> None:
    """A passkey, a camera, a friend at a command line; the laptop goes on without the phone."""
    bob = friend("bob-first")
    film(tmp_path / "code.y4m", "nothing yet")
    phone = open_browser("phone", tmp_path / "code.y4m", **PHONE)
    with_passkeys(phone)
    register(phone, "alice-first", passkey=True)

    laptop = open_browser("laptop")
    text = offer_to_be_linked(laptop)
    film(tmp_path / "code.y4m", text)
    open_scanner(phone)
    press(phone, "Link it")
    press(phone, "Confirm with passkey")
    code = phone.locator(".code").first
    expect(code).to_be_visible()
    expect(laptop.get_by_text("alice-first")).to_be_visible()
    expect(laptop.locator("dd.code")).to_have_text(code.inner_text())
    press(laptop, "Yes, it’s mine")
    expect(phone.get_by_text("is linked")).to_be_visible()
    expect(laptop.get_by_role("heading", name="Chats", exact=True)).to_be_visible()

    write_to(laptop, bob.name, "from the laptop")
    assert bob.receives("from the laptop")
    bob.send("alice-first", "to both")
    expect(laptop.get_by_role("log").get_by_text("to both")).to_be_visible()
    phone.goto(phone.url)
    press(phone, "Unlock with passkey")
    phone.get_by_role("listitem").filter(has_text=bob.name).get_by_role("button").click()
    expect(phone.get_by_role("log").get_by_text("from the laptop")).to_be_visible()
    expect(phone.get_by_role("log").get_by_text("to both")).to_be_visible()

    phone.close()
    bob.send("alice-first", "while the phone is off")
    expect(laptop.get_by_role("log").get_by_text("while the phone is off")).to_be_visible()
    send(laptop, "I am still here")
    assert bob.receives("I am still here")
