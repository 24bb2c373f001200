"""Calls about the own devices: the list, logging one out, how long companions go on alone."""

from __future__ import annotations

from msgspec import Struct

from untether.base.identifiers import DeviceNumber
from untether.browser import events, views
from untether.browser.app import App
from untether.browser.opening_calls import Nothing
from untether.device.store import own_device


class LogOut(Struct, frozen=True):
    """An own device that shall take part no more."""

    device: int
    wipe: bool


class Lease(Struct, frozen=True):
    """How long companions go on without the phone."""

    days: int


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
