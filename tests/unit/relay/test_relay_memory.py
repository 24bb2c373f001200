"""The memory store: interleaved, isolated, copied (spec 08, "Storage")."""

from __future__ import annotations

import asyncio

import pytest

from untether.adapters.storage.relay_memory import INTERLEAVED_ATTEMPTS, MemoryRelayStore
from untether.adapters.storage.relay_memory_partitions import PartitionedTransaction
from untether.relay.transaction import RelayTransaction


async def count_up(tx: RelayTransaction) -> None:
    """Add one to a counter, which takes a read and a write."""
    await tx.put_setting("counter", b"%d" % (int(await tx.setting("counter") or b"0") + 1))


async def read(tx: RelayTransaction) -> int:
    """Return the counter."""
    return int(await tx.setting("counter") or b"0")


async def test_without_the_isolation_check_updates_are_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twin: the store does interleave, and the check at the end is what makes it right."""
    store = MemoryRelayStore()
    await asyncio.gather(*(store.transact(count_up) for _ in range(10)))
    assert await store.transact(read) == 10
    monkeypatch.setattr(PartitionedTransaction, "is_isolated", lambda _: True)
    await asyncio.gather(*(store.transact(count_up) for _ in range(10)))
    assert await store.transact(read) < 20


async def test_a_crowd_costs_each_three_attempts() -> None:
    """Who was disturbed twice runs in one step: no decision starves, and work stays linear."""
    store, attempts = MemoryRelayStore(), 0

    async def count_attempt(tx: RelayTransaction) -> None:
        nonlocal attempts
        attempts += 1
        await count_up(tx)

    await asyncio.gather(*(store.transact(count_attempt) for _ in range(50)))
    assert await store.transact(read) == 50
    assert 50 < attempts <= 50 * (INTERLEAVED_ATTEMPTS + 1)


async def test_an_inconsistent_view_is_no_failure() -> None:
    """A decision that stumbles over rows of two times runs again instead of failing."""
    store = MemoryRelayStore()

    async def move_both(tx: RelayTransaction) -> None:
        value = b"%d" % (int(await tx.setting("left") or b"0") + 1)
        await tx.put_setting("left", value)
        await tx.put_setting("right", value)

    async def compare(tx: RelayTransaction) -> bytes | None:
        left, right = await tx.setting("left"), await tx.setting("right")
        if left != right:
            raise LookupError("torn")
        return left

    tasks = [store.transact(compare if number % 2 else move_both) for number in range(20)]
    results = await asyncio.gather(*tasks)
    assert len(results) == 20


async def test_a_copy_goes_its_own_way() -> None:
    """A backup does not change with its original, nor the other way."""
    store = MemoryRelayStore()
    await store.transact(count_up)
    backup = store.copy()
    await store.transact(count_up)
    assert (await store.transact(read), await backup.transact(read)) == (2, 1)
    await backup.transact(count_up)
    await backup.transact(count_up)
    assert (await store.transact(read), await backup.transact(read)) == (2, 3)
