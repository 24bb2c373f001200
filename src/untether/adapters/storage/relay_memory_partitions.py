"""Optimistic transactions over immutable partitions (spec 08, "Storage").

Theory of operation: a partition is all rows of one noun of one account, device or key, e.g.
``("entries", account_id, 3)``. It is a dict that nobody changes once it is committed: a
transaction that writes works on a copy and puts that copy in its place. So a transaction was
isolated if, at its end, every partition that it has read is the very object it read then; else
another one came in between, and it runs again from its start.

Before each access a transaction that ``suspends`` does so, and a scheduler can interleave any two
of them at every step; one that does not runs from its start to its end at once. Nothing here needs
a clock or an event loop of a certain kind.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, Final

Partition = tuple[Any, ...]
Rows = Mapping[Any, Any]

_NO_ROWS: Final[dict[Any, Any]] = {}


class _Turn:
    """Lets the scheduler run something else once."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class PartitionedTransaction:
    """What it read and what it changed, until the end shows whether it was alone."""

    def __init__(
        self, committed: dict[Partition, Rows], body_ids: Iterator[int], *, suspends: bool
    ) -> None:
        self._committed = committed
        self._body_ids = body_ids
        self._suspends = suspends
        self._seen: dict[Partition, Rows] = {}
        self._changed: dict[Partition, dict[Any, Any]] = {}

    def is_isolated(self) -> bool:
        """Tell whether everything read is still what is committed."""
        return all(
            self._committed.get(partition, _NO_ROWS) is rows
            for partition, rows in self._seen.items()
        )

    def commit(self) -> None:
        """Put the changed partitions in place of the old ones."""
        for partition, rows in self._changed.items():
            if rows:
                self._committed[partition] = rows
            else:
                self._committed.pop(partition, None)

    async def _rows(self, *partition: Any) -> Rows:
        if self._suspends:
            await _Turn()
        return self._peek(partition)

    def _peek(self, partition: Partition) -> Rows:
        if partition in self._changed:
            return self._changed[partition]
        if partition not in self._seen:
            self._seen[partition] = self._committed.get(partition, _NO_ROWS)
        return self._seen[partition]

    async def _writable(self, *partition: Any) -> dict[Any, Any]:
        rows = await self._rows(*partition)
        if partition not in self._changed:
            self._changed[partition] = dict(rows)
        return self._changed[partition]

    async def _partitions(self, noun: str) -> list[Partition]:
        if self._suspends:
            await _Turn()
        names = {name for name in self._committed if name[0] == noun}
        return sorted(names | {name for name in self._changed if name[0] == noun})

    async def _delete_where(
        self, noun: str, is_due: Callable[[Any], bool], limit: int
    ) -> list[Any]:
        """Delete up to ``limit`` rows of a noun; returns their keys."""
        deleted: list[Any] = []
        for partition in await self._partitions(noun):
            due = [key for key, row in self._peek(partition).items() if is_due(row)]
            for key in due[: limit - len(deleted)]:
                del (await self._writable(*partition))[key]
                deleted.append(key)
        return deleted
