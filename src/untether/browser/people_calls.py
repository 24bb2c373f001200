"""Calls about people: who is known, under which name, and whether the code was compared."""

from __future__ import annotations

from msgspec import Struct

from untether.browser import events, views
from untether.browser.app import App
from untether.browser.opening_calls import Nothing
from untether.client import sending


class Name(Struct, frozen=True):
    """Somebody by name."""

    name: str


class Verify(Struct, frozen=True):
    """A person whose code was compared, or whose QR code is."""

    name: str
    qr_text: str | None = None


async def contacts(app: App, _: Nothing) -> list[views.Contact]:
    """Return everybody this account knows."""
    return [views.contact(one) for one in app.client.contacts()]


async def find(app: App, wanted: Name) -> views.Contact:
    """Look somebody up at the relay, and keep them as a contact."""
    name = wanted.name
    async with app.client.online_if_possible():
        account = await sending.resolve(app.client.driver, name)
    for person in app.client.contacts():
        if person.name == name:
            return views.contact(person)
    return views.Contact(
        name, account.hex(), account.hex(), known=True, verified=False, changed=False
    )


async def accept(app: App, wanted: Name) -> None:
    """Accept that a name is another account now."""
    await app.client.accept(wanted.name)
    app.page.say(events.Notice())


async def security_code(app: App, wanted: Name) -> views.SecurityCode:
    """Return what to compare with a person."""
    async with app.client.online_if_possible():
        code = await app.client.security_code(wanted.name)
    return views.SecurityCode(code.name, code.code, code.qr_text, code.verified)


async def verify(app: App, compared: Verify) -> views.SecurityCode:
    """Mark a person as verified, by their QR code if there is one."""
    await app.client.verify(compared.name, compared.qr_text)
    app.page.say(events.Notice())
    return await security_code(app, Name(compared.name))
