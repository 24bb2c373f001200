"""Pushes one device's mail to its one receiving socket (spec 08, "Delivery").

Theory of operation
-------------------
Mail is always read from the store behind the last stamp that was pushed, never taken from a
wake-up. So a wake-up carries nothing, may come twice, early or never, and only its loss costs
time: the next wake-up, acknowledgement or connection reads on from the same stamp.

At most one read runs for a device. News that arrive meanwhile set a mark and are found by
the next read, which packs everything that came into one frame. Reading stops while
``UNACKNOWLEDGED_MAX`` entries are unacknowledged or the socket still has bytes to take: the
mailbox is the buffer, not this process.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from untether.base.identifiers import DeviceAddress
from untether.base.limits import UNACKNOWLEDGED_MAX
from untether.relay.delivery import next_deliveries
from untether.wire.records import Stamp

if TYPE_CHECKING:
    from untether.server.relay_process import RelayProcess
    from untether.server.sockets import Socket


class MailPush:
    """The receiving socket of one device and how far its mail was pushed."""

    def __init__(self, relay: RelayProcess, socket: Socket, address: DeviceAddress) -> None:
        self.socket = socket
        self._relay = relay
        self._address = address
        self._after: Stamp | None = None
        self._unacknowledged: deque[Stamp] = deque()
        self._news = True
        self._first = True
        self._reading: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Read on, now or as soon as window and socket allow it."""
        self._news = True
        if self._reading is None and len(self._unacknowledged) < UNACKNOWLEDGED_MAX:
            self._reading = asyncio.get_running_loop().create_task(self._read())

    def acknowledged(self, up_to: Stamp) -> None:
        """Open the window by what the device has committed."""
        waiting = self._unacknowledged
        while waiting and waiting[0] <= up_to:
            waiting.popleft()
        if self._news:
            self.wake()

    def stop(self) -> None:
        """Push no more; the mail stays."""
        self._news = False
        if self._reading is not None:
            self._reading.cancel()

    async def _read(self) -> None:
        try:
            while self._news and (window := UNACKNOWLEDGED_MAX - len(self._unacknowledged)) > 0:
                await self.socket.outbox.drained()
                self._news = False
                await self._push(window)
        except Exception as error:
            self._relay.log.failure("delivery-failed", error)
            self.socket.close_soon("relay-failure")
        finally:
            self._reading = None

    async def _push(self, window: int) -> None:
        deliveries = await next_deliveries(self._relay.store, self._address, self._after, window)
        entries = deliveries.entries
        if not (entries or deliveries.dropped or self._first):
            return
        self._first = False
        stamps = [entry.stamp for entry in entries]
        reached = [stamp for stamp in (*stamps[-1:], deliveries.gap_at) if stamp is not None]
        self._after = max(reached, default=self._after)
        self._unacknowledged.extend(stamps)
        self._news = self._news or deliveries.remaining > 0
        self._relay.metrics.deliveries += len(entries)
        self.socket.push(deliveries)
