"""The own devices: listing them and logging them out (spec 02, "Log-out")."""

from __future__ import annotations

import asyncio

from untether.base.errors import NetworkError
from untether.base.identifiers import DeviceNumber
from untether.client.account import ask_status
from untether.client.driver import Driver
from untether.client.receiving import Heard
from untether.client.refusals import refusal
from untether.device.events import DeviceLoggedOut, DeviceRemoved, RequestRefused
from untether.device.inputs import LogOutDevice, Resign
from untether.device.own_devices import OwnDeviceView, overview
from untether.device.store import own_device
from untether.protocol.identity.certificate import Role

LOG_OUT_TIMEOUT_S = 30.0


async def own_devices(driver: Driver) -> list[OwnDeviceView]:
    """Return the own devices; when they were active only while connected."""
    answer = await ask_status(driver)
    told = () if answer is None else answer.activity
    activity = tuple(one for one in told if one.last_active_at)  # 0: it never connected
    with driver.reading() as database:
        return overview(database, activity)


async def log_out(driver: Driver, number: DeviceNumber, *, wipe: bool) -> None:
    """Log a companion out from the phone, or this companion itself; the caller is connected.

    Raises LocalError ``not-the-phone`` for another device from a companion, ``phone-stays``,
    ``unknown-device``; NetworkError when the relay does not confirm in time.
    """
    with driver.reading() as database:
        own = own_device.load(database)
    itself = own is not None and own.role is Role.COMPANION and own.device == number
    with driver.listening() as heard:
        await driver.handle(Resign() if itself else LogOutDevice(number, wipe))
        try:
            async with asyncio.timeout(LOG_OUT_TIMEOUT_S):
                await _until_out(driver, heard)
        except TimeoutError as error:
            raise NetworkError(
                "no-answer",
                "The relay has not confirmed the log-out yet.",
                "It is signed and stored; it is sent again at the next connection.",
            ) from error
    if itself and wipe:
        with driver.reading() as database:
            own_device.erase_messages(database)


async def _until_out(driver: Driver, heard: Heard) -> None:
    while True:
        match await driver.next_event(heard):
            case DeviceRemoved() | DeviceLoggedOut():
                await driver.idle()
                return
            case RequestRefused() as refused:
                raise refusal(refused.code, refused.retry_after_ms)
