"""Opens the relay's store: the one place in the server that names SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.adapters.storage.relay_sqlite_check import check_whole
from untether.relay.transaction import RelayStore


def check_store(database: Path) -> None:
    """Refuse to serve what is damaged: PlatformError ``relay-database-damaged``."""
    check_whole(database)


@asynccontextmanager
async def open_store(
    database: Path, on_commit: Callable[[int], object] | None = None
) -> AsyncIterator[RelayStore]:
    """Open the database; leaving the context finishes what waits and closes it."""
    store = SqliteRelayStore.open(database, on_commit)
    try:
        yield store
    finally:
        await store.close()
