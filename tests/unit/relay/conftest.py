"""Every test of a decision runs on both stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.relay.relay_desk import RelayDesk, RelayDevice, register

from untether.adapters.storage.relay_memory import MemoryRelayStore
from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.relay.transaction import RelayStore


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RelayStore]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryRelayStore()
        return
    sqlite = SqliteRelayStore.open(tmp_path / "relay.sqlite3")
    yield sqlite
    await sqlite.close()


@pytest.fixture
def desk(store: RelayStore) -> RelayDesk:
    """A relay with open registration."""
    return RelayDesk(store)


@pytest.fixture
async def alice(desk: RelayDesk) -> RelayDevice:
    """Alice's phone, registered."""
    return await register(desk, "alice")


@pytest.fixture
async def bob(desk: RelayDesk) -> RelayDevice:
    """Bob's phone, registered."""
    return await register(desk, "bob")
