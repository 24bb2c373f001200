"""Opens the relay's store: the one place in the server that names SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.relay.transaction import RelayStore


@asynccontextmanager
async def open_store(database: Path) -> AsyncIterator[RelayStore]:
    """Open the database; leaving the context finishes what waits and closes it."""
    store = SqliteRelayStore.open(database)
    try:
        yield store
    finally:
        await store.close()
