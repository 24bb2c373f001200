"""The relay's store in memory, for tests and simulations (spec 08, "Storage").

It interleaves transactions at every access and repeats those that were not alone; see
:mod:`.relay_memory_partitions`. What was disturbed twice runs in one step, so that a crowd at one
mailbox costs each of them three attempts and not one for every other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Concatenate, Final, ParamSpec, TypeVar

from untether.adapters.storage.relay_memory_partitions import Partition, Rows
from untether.adapters.storage.relay_memory_rows import MemoryRelayTransaction
from untether.relay.transaction import RelayTransaction

INTERLEAVED_ATTEMPTS: Final = 2

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class MemoryRelayStore:
    """Holds the committed partitions; ``copy`` is a backup of them."""

    def __init__(self, partitions: Mapping[Partition, Rows] | None = None) -> None:
        self.partitions: dict[Partition, Rows] = dict(partitions or {})
        self._body_ids = count(1)

    def copy(self) -> MemoryRelayStore:
        """Return an independent store with the same rows."""
        twin = MemoryRelayStore(self.partitions)
        twin._body_ids = count(next(self._body_ids))
        return twin

    async def transact(
        self,
        decision: Callable[Concatenate[RelayTransaction, Parameters], Awaitable[Result]],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """See the port."""
        attempts = 0
        while True:
            suspends = attempts < INTERLEAVED_ATTEMPTS
            attempts += 1
            tx = MemoryRelayTransaction(self.partitions, self._body_ids, suspends=suspends)
            try:
                result = await decision(tx, *args, **kwargs)
            except Exception:
                if tx.is_isolated():
                    raise
                continue
            if tx.is_isolated():
                tx.commit()
                return result
