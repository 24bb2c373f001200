"""Wakes devices that have mail and no connection, each once until it comes (spec 08, "Web push").

Theory of operation
-------------------
There is at most one task for a device. It waits until the device may be called again, looks whether
there is still something to call for, and calls. A device that was called, or has no endpoint, is
*settled* until it connects: only then can it read its mail, or name an endpoint. How often somebody
who comes and goes, or a service that fails, can cause a call is bounded by time. Failures count for
the device, whichever endpoint it names, and one success does not undo them: else a device could
keep the relay waiting every other time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from untether.base.identifiers import SECOND_MS, DeviceAddress
from untether.base.limits import (
    PUSH_PAUSE_MS,
    PUSH_RETRY_MAX_MS,
    PUSH_RETRY_MS,
    PUSH_UNANSWERED_MAX,
)
from untether.relay.push import endpoint_of, forget_endpoint, has_mail
from untether.server.push_service import Called, PushService

if TYPE_CHECKING:
    from untether.server.relay_process import RelayProcess


@dataclass(frozen=True)
class Failures:
    """What went wrong with a device's calls of late."""

    count: int = 0
    unanswered: int = 0
    """In a row, at one endpoint."""
    endpoint: str = ""

    forgiven_at: float = 0
    """By the clock of the loop; each failure puts it off."""

    def after(self, called: Called, endpoint: str, now: float) -> Failures:
        """Return what they are after one more call, whatever became of it."""
        in_a_row = self.unanswered if endpoint == self.endpoint else 0
        if called is Called.TAKEN:
            return replace(self, unanswered=0)
        return Failures(
            self.count + 1,
            in_a_row + 1 if called is Called.UNANSWERED else 0,
            endpoint,
            now + 2 * PUSH_RETRY_MAX_MS / SECOND_MS,
        )

    def pause_ms(self) -> int:
        """Return how long after the last failure a device may be called again."""
        return min(PUSH_RETRY_MAX_MS, PUSH_RETRY_MS << min(self.count - 1, 30))


class WebPush:
    """Who was called and who may be called when; all of it is memory only."""

    def __init__(self, relay: RelayProcess, service: PushService) -> None:
        self._relay = relay
        self._service = service
        self._settled: set[DeviceAddress] = set()
        self._free_at: dict[DeviceAddress, float] = {}
        self._failures: dict[DeviceAddress, Failures] = {}
        self._tasks: dict[DeviceAddress, asyncio.Task[None]] = {}
        self._again: set[DeviceAddress] = set()
        self._is_closed = False

    def mail_waits(self, address: DeviceAddress) -> None:
        """Call a device that is not connected, now or as soon as it may be called again."""
        if address in self._settled or self._is_closed:
            return
        if address in self._tasks:
            self._again.add(address)
        else:
            self._tasks[address] = asyncio.get_running_loop().create_task(self._wake(address))

    def connected(self, address: DeviceAddress) -> None:
        """Note that a device is here: when it has gone it may be called again."""
        self._settled.discard(address)

    async def close(self) -> None:
        """Call nobody any more."""
        self._is_closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wake(self, address: DeviceAddress) -> None:
        try:
            await self._until_free(address)
            await self._call_if_wanted(address)
        except Exception as error:
            self._relay.log.failure("push-failed", error)
        finally:
            del self._tasks[address]
            if address in self._again:
                self._again.discard(address)
                self.mail_waits(address)

    async def _until_free(self, address: DeviceAddress) -> None:
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(self._free_at.get(address, now) - now)

    async def _call_if_wanted(self, address: DeviceAddress) -> None:
        store, hub = self._relay.store, self._relay.hub
        if not await store.transact(has_mail, address) or hub.is_connected(address):
            return
        endpoint = await store.transact(endpoint_of, address)
        if hub.is_connected(address):
            return
        self._settled.add(address)
        if endpoint is None:
            return
        called = await self._service.call(endpoint, self._relay.now())
        self._relay.metrics.web_pushes[called] += 1
        failures = self._note(address, called, endpoint)
        if called in (Called.FAILED, Called.UNANSWERED):
            self._settled.discard(address)
        if called is Called.GONE or failures.unanswered >= PUSH_UNANSWERED_MAX:
            await store.transact(forget_endpoint, address, endpoint)

    def _note(self, address: DeviceAddress, called: Called, endpoint: str) -> Failures:
        """Remember a failure for twice the longest pause, and let the device rest."""
        loop = asyncio.get_running_loop()
        failures = self._failures.get(address, Failures()).after(called, endpoint, loop.time())
        self._rest(address, PUSH_PAUSE_MS if called is Called.TAKEN else failures.pause_ms())
        if failures.count:
            self._failures[address] = failures
        if called is not Called.TAKEN:
            loop.call_at(failures.forgiven_at, self._forgive, address, failures.forgiven_at)
        return failures

    def _forgive(self, address: DeviceAddress, forgiven_at: float) -> None:
        if self._failures[address].forgiven_at == forgiven_at:
            del self._failures[address]

    def _rest(self, address: DeviceAddress, pause_ms: int) -> None:
        loop, pause_s = asyncio.get_running_loop(), pause_ms / SECOND_MS
        self._free_at[address] = loop.time() + pause_s
        loop.call_later(pause_s, self._free_at.pop, address, None)
