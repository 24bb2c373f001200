"""What a relay process does by the clock: overdue sockets, expired rows, mailbox totals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from untether.base.identifiers import SECOND_MS
from untether.base.limits import (
    HOUSEKEEPING_MS,
    HOUSEKEEPING_STEP_ROWS,
    MAILBOX_TOTALS_MS,
    REQUEST_MS,
    SOCKET_SWEEP_MS,
)
from untether.relay.housekeeping import Sweep, expire
from untether.relay.rows import DeviceRow
from untether.relay.transaction import RelayTransaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from untether.base.identifiers import DeviceAddress
    from untether.server.relay_process import RelayProcess


async def keep_house(relay: RelayProcess) -> None:
    """Run all three until cancelled; a failing round is told and does not end the next."""
    await asyncio.gather(
        _repeat(relay, SOCKET_SWEEP_MS, sweep_sockets),
        _repeat(relay, HOUSEKEEPING_MS, clear_expired),
        _repeat(relay, MAILBOX_TOTALS_MS, measure_mailboxes),
    )


async def sweep_sockets(relay: RelayProcess) -> None:
    """Close connections that overstayed."""
    relay.hub.sweep()


async def close_silent(relay: RelayProcess, server: web.Server) -> None:
    """Close connections that are no socket's at two looks: aiohttp waits for ever for a request."""
    before: set[web.RequestHandler] = set()
    while True:
        await asyncio.sleep(REQUEST_MS / SECOND_MS)
        served = {socket.transport for socket in relay.hub.sockets()}
        silent = {one for one in server.connections if one.transport not in served}
        for connection in silent & before:
            connection.force_close()
        before = silent - before


async def clear_expired(relay: RelayProcess) -> None:
    """Walk all rows once in bounded steps, between which mail is served."""
    sweep = Sweep()
    while not sweep.is_finished:
        sweep = await relay.store.transact(expire, relay.now(), sweep)


async def measure_mailboxes(relay: RelayProcess) -> None:
    """Add up what waits in all mailboxes."""
    entries = size = 0
    last: DeviceAddress | None = None
    while rows := await relay.store.transact(_devices_after, last):
        entries += sum(row.entries for row in rows)
        size += sum(row.bytes for row in rows)
        last = rows[-1].address
    relay.metrics.mailbox_entries = entries
    relay.metrics.mailbox_bytes = size


async def _devices_after(tx: RelayTransaction, last: DeviceAddress | None) -> Sequence[DeviceRow]:
    return await tx.devices_after(last, HOUSEKEEPING_STEP_ROWS)


async def _repeat(
    relay: RelayProcess, interval_ms: int, work: Callable[[RelayProcess], Awaitable[None]]
) -> None:
    while True:
        try:
            await work(relay)
        except Exception as error:
            relay.log.failure("housekeeping-failed", error)
        await asyncio.sleep(interval_ms / SECOND_MS)
