"""What a look at a full mailbox costs the relay's one thread of decisions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.adapters.storage.relay_sqlite_rows import SqliteRelayTransaction
from untether.base.identifiers import AccountId, DeviceAddress, DeviceNumber, UnixMillis
from untether.relay import delivery
from untether.relay.rows import DeviceRow, EntryRow, SenderLoad
from untether.relay.transaction import RelayTransaction

BOB = DeviceAddress(AccountId(b"b" * 32), DeviceNumber(1))
WAITING = 2_000
LITTLE, MUCH = 5, 50
"""Hundreds of SQLite's steps: for some rows, and for all that wait."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteRelayStore]:
    """A store in which much mail of one sender waits for Bob."""
    opened = SqliteRelayStore.open(tmp_path / "relay.sqlite3")
    await opened.transact(_fill)
    yield opened
    await opened.close()


async def _fill(tx: RelayTransaction) -> None:
    for number in range(1, WAITING + 1):
        row = (*BOB, number, b"m" * 32, 1, 1, number.to_bytes(16, "big"), b"header", None, None, 6)
        await tx.add_entry(EntryRow._make(row))
    await tx.put_device(DeviceRow(*BOB, 1, WAITING, WAITING, 6 * WAITING, 0, 0, 0, UnixMillis(0)))


async def _steps_of(store: SqliteRelayStore, look: Callable[[], Awaitable[object]]) -> int:
    """Count a look's steps in SQLite, in hundreds."""
    steps = 0

    def step() -> bool:
        nonlocal steps
        steps += 1
        return False

    async def count_by(tx: RelayTransaction, handler: Callable[[], bool] | None) -> None:
        assert isinstance(tx, SqliteRelayTransaction)
        tx._connection.set_progress_handler(handler, 100)

    await store.transact(count_by, step)
    await look()
    await store.transact(count_by, None)
    return steps


async def _newcomer_asks(store: SqliteRelayStore) -> None:
    async def load(tx: RelayTransaction) -> SenderLoad:
        return await tx.sender_load(BOB, AccountId(b"n" * 32))

    assert await store.transact(load) == SenderLoad(0, 0)


async def test_who_has_nothing_in_a_full_mailbox_is_found_at_once(store: SqliteRelayStore) -> None:
    """However much others have sent: every submission asks, also one that is refused."""
    assert await _steps_of(store, lambda: _newcomer_asks(store)) < LITTLE


async def test_twin_without_the_index_each_look_reads_the_whole_mailbox(
    store: SqliteRelayStore,
) -> None:
    """A few accounts that have filled their own mailboxes keep a relay reading."""

    async def drop(tx: RelayTransaction) -> None:
        assert isinstance(tx, SqliteRelayTransaction)
        tx._write("DROP INDEX entries_by_sender", ())

    await store.transact(drop)
    assert await _steps_of(store, lambda: _newcomer_asks(store)) > MUCH


async def _bob_reads(store: SqliteRelayStore) -> None:
    deliveries = await delivery.next_deliveries(store, BOB, None, 2)
    assert (len(deliveries.entries), deliveries.remaining) == (2, WAITING - 2)


async def test_a_push_reads_no_more_than_it_brings(store: SqliteRelayStore) -> None:
    """How much waits behind it is known without being counted."""
    assert await _steps_of(store, lambda: _bob_reads(store)) < LITTLE


async def test_twin_that_counts_what_is_behind_reads_the_whole_mailbox(
    store: SqliteRelayStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that only asks for its mail again and again keeps a relay counting."""

    async def count_behind(tx: SqliteRelayTransaction, row: DeviceRow, last: int) -> int:
        sql = "SELECT count(*) FROM entries WHERE account_id = ? AND device = ? AND number > ?"
        return int(tx._row(sql, (*row.address, last))[0])

    monkeypatch.setattr(delivery, "_count_behind", count_behind)
    assert await _steps_of(store, lambda: _bob_reads(store)) > MUCH
