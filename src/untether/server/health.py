"""Whether the store commits, as a supervisor asks (docs/operating.md, "Paths")."""

from __future__ import annotations

import asyncio

from untether.base.identifiers import SECOND_MS
from untether.base.limits import HEALTH_KEPT_MS
from untether.relay.transaction import RelayTransaction
from untether.server.relay_process import RelayProcess


class HealthCheck:
    """Writes and reads one row, however many ask; anybody may, so an answer is kept for a while."""

    def __init__(self, relay: RelayProcess) -> None:
        self._relay = relay
        self._check: asyncio.Task[bool] | None = None
        self._began_at = 0.0

    async def is_well(self) -> bool:
        """Return whether the store has committed just now."""
        now = asyncio.get_running_loop().time()
        if self._check is None or now - self._began_at > HEALTH_KEPT_MS / SECOND_MS:
            self._began_at = now
            self._check = asyncio.create_task(self._commits())
        return await asyncio.shield(self._check)

    async def _commits(self) -> bool:
        relay = self._relay
        try:
            await relay.store.transact(_write_and_read, relay.now())
        except Exception as error:
            relay.log.failure("unhealthy", error)
            return False
        return True


async def _write_and_read(tx: RelayTransaction, now: int) -> None:
    await tx.put_setting("health", now.to_bytes(8, "big"))
    if await tx.setting("health") is None:
        raise LookupError("the store forgot what was just written")
