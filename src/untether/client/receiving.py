"""Receiving: what this profile has received and nobody has printed yet (spec 07)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from untether.base.errors import NetworkError
from untether.client.driver import Driver
from untether.device.events import (
    DeviceLoggedOut,
    Event,
    MailboxDrained,
    MessageReceived,
    ReceivingElsewhere,
)
from untether.device.inputs import StartMail
from untether.device.store import messages
from untether.device.store.messages import Message

BATCH_MAX = 100


def take_unprinted(driver: Driver, limit: int = BATCH_MAX) -> list[Message]:
    """Return the next messages to print, marked as printed in the same transaction."""
    with driver.reading() as database:
        return messages.take_unprinted(database, limit)


async def drain(driver: Driver, heard: asyncio.Queue[Event]) -> None:
    """Receive until nothing waits at the relay any more; the caller is connected."""
    await driver.handle(StartMail())
    while not isinstance(await heard.get(), MailboxDrained | DeviceLoggedOut | ReceivingElsewhere):
        pass


async def each_message(
    driver: Driver, heard: asyncio.Queue[Event], *, timeout_s: float | None
) -> AsyncIterator[Message]:
    """Yield messages as they come, in batches' order; ends after ``timeout_s`` without one."""
    while True:
        batch = take_unprinted(driver)
        for message in batch:
            yield message
        if batch:
            continue
        try:
            async with asyncio.timeout(timeout_s):
                while not isinstance(event := await heard.get(), MessageReceived):
                    if isinstance(event, DeviceLoggedOut | ReceivingElsewhere):
                        return
        except TimeoutError:
            return
        with suppress(asyncio.QueueEmpty):
            while True:
                heard.get_nowait()


@asynccontextmanager
async def kept_connected(
    driver: Driver, on_failure: Callable[[NetworkError], None]
) -> AsyncIterator[asyncio.Task[None]]:
    """Stay connected and receiving inside; yields the task that does it."""
    task = asyncio.create_task(_stay_receiving(driver, on_failure))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
