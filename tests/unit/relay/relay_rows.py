"""What a test may look at behind the port, for each store."""

from __future__ import annotations

from untether.adapters.storage.relay_memory_rows import MemoryRelayTransaction
from untether.adapters.storage.relay_sqlite_rows import SqliteRelayTransaction


async def count_bodies(tx: object) -> int:
    """Count the stored bodies."""
    if isinstance(tx, MemoryRelayTransaction):
        return len(await tx._partitions("body"))
    assert isinstance(tx, SqliteRelayTransaction)
    return int(tx._row("SELECT count(*) FROM bodies", ())[0])
