"""The own devices: listing, logging out, and their lease (spec 02, "Log-out", "Lease")."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from untether.base.errors import NetworkError, RefusedError, UntetherError
from untether.base.identifiers import DAY_MS, SECOND_MS, DeviceNumber, UnixMillis
from untether.base.limits import LOG_OUT_MS, LOG_OUT_RECEIVE_MS
from untether.client.account import ask_status
from untether.client.driver import Driver
from untether.client.receiving import Heard, drain
from untether.client.refusals import refusal
from untether.device import own_account
from untether.device.events import RequestRefused
from untether.device.inputs import LogOutDevice, Resign, SetLease
from untether.device.own_devices import OwnDeviceView, overview
from untether.device.store import own_device, own_lists
from untether.device.store.own_device import State
from untether.protocol.identity.certificate import Role

ReceiveAlone = Callable[[], AbstractContextManager[None]]

_LOOK_AGAIN_S = 1.0
"""Events are heard within one process only; another one may take the answer."""


async def own_devices(driver: Driver) -> list[OwnDeviceView]:
    """Return the own devices; when they were active only while connected."""
    answer = await ask_status(driver)
    told = () if answer is None else answer.activity
    activity = tuple(one for one in told if one.last_active_at)  # 0: it never connected
    with driver.reading() as database:
        return overview(database, activity)


async def log_out(
    driver: Driver, number: DeviceNumber, *, wipe: bool, receive_alone: ReceiveAlone
) -> None:
    """Log a companion out from the phone, or this companion itself; the caller is connected.

    The phone first receives what waits: the companion may have written some of it.
    Raises LocalError ``not-the-phone`` for another device from a companion, ``phone-stays``,
    ``no-such-device``; NetworkError when the relay does not confirm in time.
    """
    with driver.reading() as database:
        own = own_device.load(database)
    itself = own is not None and own.role is Role.COMPANION and own.device == number
    if own is not None and own.role is Role.PRIMARY:
        await _receive_first(driver, receive_alone)
    with driver.listening() as heard:
        await driver.handle(Resign(wipe) if itself else LogOutDevice(number, wipe))
        try:
            async with asyncio.timeout(LOG_OUT_MS / SECOND_MS):
                await _until_out(driver, heard, number)
        except (TimeoutError, NetworkError) as error:
            if not _is_out(driver, number):
                raise NetworkError(
                    "not-confirmed",
                    "The relay has not confirmed the log-out yet.",
                    "It is signed and stored; it is sent again at the next connection.",
                ) from error


async def _receive_first(driver: Driver, receive_alone: ReceiveAlone) -> None:
    """Empty the mailbox, for a few seconds at most; what another process receives needs no care.

    Whatever goes wrong, the log-out goes on, and says by itself what is wrong with this phone.
    """
    with suppress(TimeoutError, UntetherError), receive_alone(), driver.listening() as heard:
        async with asyncio.timeout(LOG_OUT_RECEIVE_MS / SECOND_MS):
            await drain(driver, heard)


async def set_lease(driver: Driver, days: int) -> UnixMillis:
    """On the phone: choose how long companions go on without it; returns the new list's end.

    Raises LocalError ``bad-lease`` or ``not-the-phone``, RefusedError when the relay allows less.
    """
    if driver.challenge is not None and days * DAY_MS > driver.challenge.lease_max_ms:
        raise _lease_too_long(driver.challenge.lease_max_ms)
    with driver.listening() as heard:
        await driver.handle(SetLease(days * DAY_MS))
        await driver.idle()
        while not heard.empty():
            event = heard.get_nowait()
            if isinstance(event, RequestRefused):
                raise refusal(event.code, event.retry_after_ms)
    with driver.looking() as context:
        return own_account.newest(context).expires_at


def _lease_too_long(lease_max_ms: int) -> RefusedError:
    return RefusedError(
        "lease-too-long",
        "The relay does not accept device lists that hold for so long.",
        f"Choose at most {lease_max_ms // DAY_MS} days.",
        lease_max_ms=lease_max_ms,
    )


async def _until_out(driver: Driver, heard: Heard, number: DeviceNumber) -> None:
    """Wait until the rows say it: another process of this device may hear the answer first."""
    while not _is_out(driver, number):
        try:
            async with asyncio.timeout(_LOOK_AGAIN_S):
                event = await driver.next_event(heard)
        except TimeoutError:
            continue
        if isinstance(event, RequestRefused):
            raise refusal(event.code, event.retry_after_ms)
    await driver.idle()


def _is_out(driver: Driver, number: DeviceNumber) -> bool:
    """Tell whether the relay has confirmed that a device is logged out."""
    with driver.looking() as context:
        if context.own.device == number:
            return context.own.state is State.LOGGED_OUT
        listed = own_account.newest(context).device(number) is not None
        return not listed and not own_lists.unpublished(context.database)
