"""Receiving: what this profile has received and nobody has printed yet (spec 07).

A message counts as printed once it has been shown, not before: what ends a process in between
shows a message twice rather than never. Only one process receives and prints at a time, so
nothing else prints one twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from untether.base.errors import LocalError, UntetherError
from untether.base.limits import RECEIPT_JITTER_MS, REPAIR_JITTER_MS
from untether.client.driver import Driver
from untether.client.people import NamedMessage, named
from untether.client.standing import check_is_listed, suspension
from untether.device.context import logged_out
from untether.device.events import (
    DeviceLoggedOut,
    DeviceSuspended,
    Event,
    MailboxDrained,
    MessageReceived,
    ReceivingElsewhere,
)
from untether.device.inputs import StartMail, Tick
from untether.device.store import messages, receipts, repairs

BATCH_MAX = 100
"""How many messages are in memory at once; whoever is killed while printing prints them again."""
_JITTER_MS = max(RECEIPT_JITTER_MS, REPAIR_JITTER_MS)
"""What is due later leaves at another time."""

Heard = asyncio.Queue[Event]
Show = Callable[[NamedMessage], None]
Awaited = TypeVar("Awaited")


def print_unprinted(driver: Driver, show: Show, limit: int | None = None) -> int:
    """Show messages not yet printed, at most ``limit``; returns how many were shown.

    What ``show`` raises leaves the message, and those behind it, to be printed next time.
    """
    printed = 0
    while limit is None or printed < limit:
        batch = BATCH_MAX if limit is None else min(BATCH_MAX, limit - printed)
        shown = _print_batch(driver, show, batch)
        printed += shown
        if shown < batch:
            break
    return printed


def _print_batch(driver: Driver, show: Show, limit: int) -> int:
    with driver.reading() as database:
        waiting = named(database, messages.unprinted(database, limit))
    shown: list[NamedMessage] = []
    try:
        for one in waiting:
            show(one)
            shown.append(one)
    finally:
        if shown:
            with driver.writing() as database:
                messages.mark_printed(database, [one.message for one in shown])
    return len(shown)


async def drain(driver: Driver, heard: Heard) -> None:
    """Receive until nothing waits at the relay any more; the caller is connected.

    Raises RefusedError ``logged-out``, ``suspended`` or ``phone-displaced``.
    """
    await _start_mail(driver)
    while not isinstance(event := await driver.next_event(heard), MailboxDrained):
        check_still_receiving(driver, event)
    await driver.idle()


async def follow(
    driver: Driver,
    heard: Heard,
    connection: asyncio.Task[None],
    show: Show,
    *,
    limit: int | None = None,
    timeout_s: float | None = None,
) -> None:
    """Show messages as they come, until ``limit`` or until none came for ``timeout_s``.

    Raises what ended the connection for good, RefusedError as :func:`drain` does, or
    LocalError ``received-elsewhere``.
    """
    left = limit
    while True:
        printed = print_unprinted(driver, show, left)
        left = None if left is None else left - printed
        if left == 0:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await _next_message(driver, heard, connection)
        except TimeoutError:
            return


async def settle(driver: Driver) -> None:
    """Give receipts, and requests for messages, that are due in a moment the time to leave."""
    now = driver.now()
    with driver.reading() as database:
        due = (receipts.next_due(database), repairs.next_due(database, now))
    soon = [at for at in due if at is not None and at <= now + _JITTER_MS]
    if soon and driver.is_connected:
        await asyncio.sleep(max(0, max(soon) - now + 1) / 1000)
        await driver.handle(Tick())
        await driver.idle()


async def while_kept(connection: asyncio.Task[None], wanted: Awaitable[Awaited]) -> Awaited:
    """Wait for something while ``connection`` is kept; what ended that is raised."""
    waiting = asyncio.ensure_future(wanted)
    try:
        await asyncio.wait((waiting, connection), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            await connection
        return await waiting
    finally:
        waiting.cancel()


async def _next_message(driver: Driver, heard: Heard, connection: asyncio.Task[None]) -> None:
    while not isinstance(event := await while_kept(connection, heard.get()), MessageReceived):
        check_still_receiving(driver, event)


async def _start_mail(driver: Driver) -> None:
    """Begin to receive; raises when the login has shown that this device takes no part."""
    check_is_listed(driver)
    await driver.handle(StartMail())


def check_still_receiving(driver: Driver, event: Event) -> None:
    """Raise when an event says that no more mail will come to this process."""
    match event:
        case DeviceLoggedOut():
            raise logged_out()
        case DeviceSuspended():
            raise suspension(driver)
        case ReceivingElsewhere():
            raise LocalError(
                "received-elsewhere",
                "Another copy of this device receives now.",
                "A device must exist once only; end the other one.",
            )


@asynccontextmanager
async def kept_connected(
    driver: Driver, on_failure: Callable[[UntetherError], None]
) -> AsyncIterator[asyncio.Task[None]]:
    """Stay connected and receiving inside; yields the task that does it."""
    task = asyncio.create_task(driver.stay_connected(on_failure, then=lambda: _start_mail(driver)))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
