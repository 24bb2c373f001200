"""Calls about people and about the own devices."""

from __future__ import annotations

from msgspec import Struct

from untether.base.identifiers import DeviceNumber
from untether.browser import events, views
from untether.browser.opening import App
from untether.browser.opening_calls import Nothing
from untether.client import sending
from untether.device.store import own_device


class Name(Struct, frozen=True):
    """Somebody by name."""

    name: str


class Verify(Struct, frozen=True):
    """A person whose code was compared, or whose QR code is."""

    name: str
    qr_text: str | None = None


class LogOut(Struct, frozen=True):
    """An own device that shall take part no more."""

    device: int
    wipe: bool


class Lease(Struct, frozen=True):
    """How long companions go on without the phone."""

    days: int


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


async def devices(app: App, _: Nothing) -> list[views.Device]:
    """Return the own devices, this one first."""
    async with app.client.online_if_possible(to_read=True):
        found = [views.device(one) for one in await app.client.devices()]
    return sorted(found, key=lambda one: (not one.this, one.device))


async def log_out(app: App, wanted: LogOut) -> None:
    """Log a companion out, or this companion itself."""
    client = app.client
    async with client.online():
        await client.log_out(DeviceNumber(wanted.device), wipe=wanted.wipe)
    with client.driver.reading() as database:
        own = own_device.load(database)
    if own is not None and own.device == wanted.device:
        app.page.say(events.LoggedOut())
    app.page.say(events.Notice())


async def set_lease(app: App, wanted: Lease) -> None:
    """Choose how long companions go on without this phone."""
    client = app.client
    async with client.online_if_possible():
        await client.set_lease(wanted.days)


async def storage(app: App, _: Nothing) -> views.Storage:
    """Return how much this origin keeps."""
    used, quota, persisted = await app.surroundings.storage()
    return views.Storage(used, quota, persisted)
