"""The SQLite store: durable, private, erasing, healing (spec 08, "Storage")."""

from __future__ import annotations

import asyncio
import shutil
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest
from tests.unit.relay.relay_desk import (
    BODY,
    RelayDesk,
    RelayDevice,
    link,
    only,
    register,
    sealed_for,
)

from untether.adapters.storage import relay_sqlite
from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.base.errors import PlatformError
from untether.base.limits import DECISIONS_PER_COMMIT_MAX
from untether.relay.transaction import RelayStore, RelayTransaction
from untether.wire.client_frames import Acknowledge, PublishLists, StartReceiving
from untether.wire.server_frames import Accepted, Done, ListsChanged, Welcome


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "relay.sqlite3"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteRelayStore]:
    """An open store."""
    opened = SqliteRelayStore.open(path)
    yield opened
    await opened.close()


async def remember(tx: RelayTransaction, value: bytes) -> None:
    """Write one setting."""
    await tx.put_setting("value", value)


async def recall(tx: RelayTransaction) -> bytes | None:
    """Read it."""
    return await tx.setting("value")


def bytes_on_disk(path: Path) -> bytes:
    """Return all that the database and its log hold."""
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


async def test_what_was_answered_is_there_after_a_crash(
    path: Path, store: SqliteRelayStore, tmp_path: Path
) -> None:
    """The files as they are at the moment of the answer open with everything in them."""
    desk = RelayDesk(store)
    alice, bob = await register(desk, "alice"), await register(desk, "bob")
    frame = alice.submit(sealed_for(bob.person))
    verdict = only(await alice.ask(frame))
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for file in path.parent.iterdir():
        if file.is_file():
            shutil.copy(file, crashed)
    desk.store = SqliteRelayStore.open(crashed / path.name)
    assert only(await alice.ask(frame)) == verdict
    assert [entry.body for entry in (await bob.read()).entries] == [BODY]
    assert isinstance(await alice.log_in(), Welcome)
    await desk.store.close()


async def test_delivered_mail_leaves_the_disk(path: Path, store: SqliteRelayStore) -> None:
    """After acknowledgement and checkpoint no byte of body or header is in any file."""
    desk = RelayDesk(store)
    alice, bob = await register(desk, "alice"), await register(desk, "bob")
    body, header = b"canary in the body " * 300, b"canary in the header " * 20
    await alice.send(bob.person, header, body)
    assert b"canary in the body" in bytes_on_disk(path)
    await bob.ask(Acknowledge((await bob.read()).entries[-1].stamp))
    await store.checkpoint()
    assert b"canary" not in bytes_on_disk(path)


async def test_without_secure_deletion_mail_stays_on_the_disk(path: Path) -> None:
    """Twin: overwriting is what removes the bytes; deletion alone leaves them."""
    store = SqliteRelayStore.open(path)
    store._connection.execute("PRAGMA secure_delete = OFF").fetchall()
    desk = RelayDesk(store)
    alice, bob = await register(desk, "alice"), await register(desk, "bob")
    await alice.send(bob.person, body=b"canary in the body " * 300)
    await bob.ask(Acknowledge((await bob.read()).entries[-1].stamp))
    await store.checkpoint()
    assert b"canary" in bytes_on_disk(path)
    await store.close()


async def test_a_pause_empties_the_log(
    path: Path, store: SqliteRelayStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to ask: when nothing happens for a moment, the log is emptied."""
    monkeypatch.setattr(relay_sqlite, "LOG_PAUSE_MS", 10)
    await store.transact(remember, b"1")
    await store.transact(remember, b"2")
    log = path.with_name(path.name + "-wal")
    for _ in range(200):
        await asyncio.sleep(0.01)
        if log.stat().st_size == 0:
            break
    assert log.stat().st_size == 0


async def test_a_busy_relay_empties_the_log_too(
    path: Path, store: SqliteRelayStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any pause the log is emptied by its age."""
    monkeypatch.setattr(relay_sqlite, "LOG_AGE_MAX_MS", -1)
    for number in range(5):
        await store.transact(remember, b"%d" % number)
    await asyncio.sleep(0.05)
    assert path.with_name(path.name + "-wal").stat().st_size == 0
    assert await store.transact(recall) == b"4"


async def test_the_files_are_the_operator_s_only(path: Path, store: SqliteRelayStore) -> None:
    """Database and log have mode 0600."""
    await store.transact(remember, b"1")
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o600}


async def test_a_relay_put_back_from_an_old_copy_heals(
    path: Path, store: SqliteRelayStore, tmp_path: Path
) -> None:
    """The devices bring missing lists, and mail gets stamps that nobody has seen."""
    desk = RelayDesk(store)
    alice, bob = await register(desk, "alice"), await register(desk, "bob")
    laptop = await link(alice)
    await store.checkpoint()
    old = tmp_path / "old.sqlite3"
    shutil.copy(path, old)
    await bob.send(alice.person)
    seen = (await laptop.read()).entries[-1].stamp
    await laptop.ask(Acknowledge(seen))
    alice.person.publish()
    await alice.ask(PublishLists(tuple(alice.person.run)))
    desk.store = SqliteRelayStore.open(old)
    assert isinstance(await laptop.log_in(), Welcome)
    assert isinstance(await laptop.ask(StartReceiving(seen)), Done)
    assert isinstance(only(await bob.send(alice.person)), ListsChanged)
    assert isinstance(await laptop.ask(PublishLists(tuple(alice.person.run))), Done)
    assert isinstance(only(await bob.send(alice.person)), Accepted)
    (entry,) = (await laptop.read(after=seen)).entries
    assert entry.stamp > seen
    await desk.store.close()


async def test_a_second_process_may_write(path: Path, store: SqliteRelayStore) -> None:
    """What another one wrote is seen: rows kept in memory are dropped then."""
    desk = RelayDesk(store)
    alice = await register(desk, "alice")
    other = SqliteRelayStore.open(path)
    alice.person.publish()
    desk.store = other
    await alice.ask(PublishLists((alice.person.newest.signed,)))
    await other.close()
    desk.store = store
    welcome = await alice.log_in()
    assert isinstance(welcome, Welcome)
    assert welcome.head == alice.person.newest.head


async def test_many_decisions_share_a_commit(store: SqliteRelayStore) -> None:
    """More than one batch of waiting decisions, each answered once, in their order."""
    count = 2 * DECISIONS_PER_COMMIT_MAX + 1
    values = [b"%d" % number for number in range(count)]
    await asyncio.gather(*(store.transact(remember, value) for value in values))
    assert await store.transact(recall) == values[-1]


async def test_a_decision_must_not_wait_for_anything_else(store: SqliteRelayStore) -> None:
    """One that suspends is a defect, which is told and harms no other."""

    async def wait(_tx: RelayTransaction) -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError):
        await store.transact(wait)
    await store.transact(remember, b"after")
    assert await store.transact(recall) == b"after"


@pytest.mark.parametrize(
    ("failure", "code"), [(apsw.FullError, "disk-full"), (apsw.IOError, "relay-storage")]
)
async def test_a_failing_disk_is_told_to_all_of_the_batch(
    store: SqliteRelayStore, failure: type[apsw.Error], code: str
) -> None:
    """Nothing was changed, and the store works again when the disk does."""
    await store.transact(remember, b"before")
    alice_is_known = await register(RelayDesk(store), "alice")
    assert isinstance(alice_is_known, RelayDevice)

    async def meet_the_failure(tx: RelayTransaction) -> None:
        await tx.put_setting("value", b"lost")
        raise failure("injected")

    outcomes = await asyncio.gather(
        store.transact(remember, b"neighbour"),
        store.transact(meet_the_failure),
        return_exceptions=True,
    )
    assert [getattr(one, "code", None) for one in outcomes] == [code, code]
    assert await store.transact(recall) == b"before"


async def test_a_failing_commit_answers_nobody_with_success(store: SqliteRelayStore) -> None:
    """A commit that the disk refuses is an error for each of its decisions."""
    real = store._tx.control

    def refuse(sql: str) -> None:
        if sql == "COMMIT":
            raise apsw.IOError("injected")
        real(sql)

    store._tx.control = refuse  # type: ignore[method-assign]
    outcomes = await asyncio.gather(
        *(store.transact(remember, b"lost") for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(one, PlatformError) for one in outcomes)
    store._tx.control = real  # type: ignore[method-assign]
    assert await store.transact(recall) is None


async def test_a_full_disk_ends_a_store_in_order(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its log can't be moved into the database; the next store finds what was committed."""

    def find_no_room(_store: SqliteRelayStore) -> None:
        raise apsw.FullError("injected")

    store = SqliteRelayStore.open(path)
    await store.transact(remember, b"kept")
    with monkeypatch.context() as full:
        full.setattr(SqliteRelayStore, "_empty_log", find_no_room)
        await store.close()
    again = SqliteRelayStore.open(path)
    assert await again.transact(recall) == b"kept"
    await again.close()


async def test_a_broken_constraint_is_the_decision_s_own(store: SqliteRelayStore) -> None:
    """A defect of one decision undoes that one only."""

    async def break_a_rule(tx: RelayTransaction) -> None:
        for _ in range(2):
            await tx.add_slot_item(b"no such slot....", 0, b"item")  # type: ignore[arg-type]

    outcomes = await asyncio.gather(
        store.transact(remember, b"neighbour"),
        store.transact(break_a_rule),
        return_exceptions=True,
    )
    assert outcomes[0] is None
    assert isinstance(outcomes[1], apsw.ConstraintError)
    assert await store.transact(recall) == b"neighbour"


def test_a_newer_database_is_refused(path: Path) -> None:
    """An older release does not touch tables that it does not know."""
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 99)
    connection.close()
    with pytest.raises(PlatformError) as caught:
        SqliteRelayStore.open(path)
    assert caught.value.code == "database-newer"


def test_what_is_no_database_is_refused(path: Path, tmp_path: Path) -> None:
    """A damaged file, or none that can be made, is named."""
    path.write_bytes(b"not a database" * 1000)
    for wrong in (path, tmp_path / "missing" / "relay.sqlite3"):
        with pytest.raises(PlatformError) as caught:
            SqliteRelayStore.open(wrong)
        assert caught.value.code == "relay-storage"


async def test_reopening_changes_nothing(path: Path) -> None:
    """Tables are made once."""
    first: RelayStore
    for expected in (None, b"1"):
        first = SqliteRelayStore.open(path)
        assert await first.transact(recall) == expected
        await first.transact(remember, b"1")
        await first.close()
