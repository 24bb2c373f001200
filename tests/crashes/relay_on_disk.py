"""A world whose relay keeps its rows in a file, which can be put back from an old copy."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from tests.world import World, run

from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.base.identifiers import UnixMillis
from untether.relay import mailbox

Result = TypeVar("Result")


class SteppedStore:
    """The SQLite store for a world that has no event loop: each decision runs to its end."""

    def __init__(self, path: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._store = SqliteRelayStore.open(path)

    async def transact(
        self, decision: Callable[..., Awaitable[Result]], *args: Any, **kwargs: Any
    ) -> Result:
        """See the port."""

        async def decided() -> Result:
            return await self._store.transact(decision, *args, **kwargs)

        return self._loop.run_until_complete(decided())

    def query(self, sql: str) -> list[Any]:
        """Look into the rows."""
        return self._store._connection.execute(sql).fetchall()

    def empty_log(self) -> None:
        """Have everything in the one file."""
        self._loop.run_until_complete(self._store.checkpoint())

    def close(self) -> None:
        """Finish and close the file."""
        self._loop.run_until_complete(self._store.close())
        self._loop.close()


class WorldOnDisk(World):
    """A world whose relay can be stopped, copied, put back and started again."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        super().__init__(seed)
        self._path = folder / "relay.sqlite3"
        self._copy = folder / "copy.sqlite3"
        self.start_relay()

    def start_relay(self) -> None:
        """Open the database as the relay process does."""
        self.now = UnixMillis(self.now + 1_000)
        self._store = SteppedStore(self._path)
        self.relay.store = self._store  # type: ignore[assignment]
        incarnation = run(self._store.transact(mailbox.begin_incarnation, self.now))
        self.relay.rules = replace(self.relay.rules, incarnation=incarnation)

    def query(self, sql: str) -> list[Any]:
        """Look into the relay's rows."""
        return self._store.query(sql)

    def stop_relay(self) -> None:
        """End the relay; every connection is lost."""
        for device in self.devices:
            device.disconnect()
        self._store.close()

    def copy_relay(self) -> None:
        """Copy the database of the running relay, between two decisions."""
        self._store.empty_log()
        shutil.copy(self._path, self._copy)

    def put_relay_back(self) -> None:
        """Let the relay forget all that came after the copy."""
        self.stop_relay()
        shutil.copy(self._copy, self._path)
        self.start_relay()
