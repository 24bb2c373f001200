"""Receiving: what this profile has received and nobody has printed yet (spec 07)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from untether.base.errors import LocalError, NetworkError, RefusedError
from untether.client.driver import Driver
from untether.device.events import (
    DeviceLoggedOut,
    DeviceSuspended,
    Event,
    MailboxDrained,
    MessageReceived,
    ReceivingElsewhere,
)
from untether.device.inputs import StartMail
from untether.device.store import messages, receipts
from untether.device.store.messages import Message

BATCH_MAX = 100
_A_MOMENT_S = 0.05

Heard = asyncio.Queue[Event]


def take_unprinted(driver: Driver, limit: int = BATCH_MAX) -> list[Message]:
    """Return the next messages to print, marked as printed in the same transaction."""
    with driver.reading() as database:
        return messages.take_unprinted(database, limit)


async def drain(driver: Driver, heard: Heard) -> None:
    """Receive until nothing waits at the relay any more; the caller is connected."""
    await driver.handle(StartMail())
    while not isinstance(event := await driver.next_event(heard), MailboxDrained):
        check_still_receiving(event)
    await driver.idle()


async def each_message(
    driver: Driver, heard: Heard, connection: asyncio.Task[None], *, timeout_s: float | None
) -> AsyncIterator[Message]:
    """Yield messages as they come; ends after ``timeout_s`` without one.

    Raises what ended the connection for good, RefusedError ``logged-out``, or LocalError
    ``received-elsewhere``.
    """
    while True:
        batch = take_unprinted(driver)
        for message in batch:
            yield message
        if batch:
            continue
        try:
            async with asyncio.timeout(timeout_s):
                await _next_message(driver, heard, connection)
        except TimeoutError:
            return


async def settle_receipts(driver: Driver) -> None:
    """Give receipts that are due in a moment the time to leave."""
    with driver.reading() as database:
        due = receipts.next_due(database)
    if due is not None and driver.is_connected:
        await asyncio.sleep(max(0, due - driver.now()) / 1000 + _A_MOMENT_S)
        await driver.idle()


async def _next_message(driver: Driver, heard: Heard, connection: asyncio.Task[None]) -> None:
    """Wait for a message; the connection's end or a log-out is raised."""
    while True:
        waiting = asyncio.ensure_future(heard.get())
        await asyncio.wait((waiting, connection), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            await connection
            return
        event = waiting.result()
        if isinstance(event, MessageReceived):
            return
        check_still_receiving(event)


def check_still_receiving(event: Event) -> None:
    """Raise when an event says that no more mail will come to this process."""
    match event:
        case DeviceLoggedOut():
            raise RefusedError(
                "logged-out",
                "This device was logged out of its account.",
                "Link it again with `untether link` in a new profile.",
            )
        case DeviceSuspended():
            raise RefusedError(
                "suspended",
                "The relay does not list this device, and shows no signed reason.",
                "Connect the phone; its device list heals the relay.",
            )
        case ReceivingElsewhere():
            raise LocalError(
                "received-elsewhere",
                "Another copy of this device receives now.",
                "A device must exist once only; end the other one.",
            )


@asynccontextmanager
async def kept_connected(
    driver: Driver, on_failure: Callable[[NetworkError], None]
) -> AsyncIterator[asyncio.Task[None]]:
    """Stay connected and receiving inside; yields the task that does it."""
    task = asyncio.create_task(driver.stay_connected(on_failure, then=StartMail()))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
