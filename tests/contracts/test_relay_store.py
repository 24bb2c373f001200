"""The contract of every relay store (spec 08, "Storage"): isolation, atomicity, rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from untether.adapters.storage.relay_memory import MemoryRelayStore
from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.base.identifiers import (
    AccountId,
    DeviceAddress,
    DeviceNumber,
    MessageId,
    SlotId,
    UnixMillis,
)
from untether.relay.mailbox import new_device
from untether.relay.rows import (
    ALL_DEVICES,
    AccountRow,
    DeviceRow,
    EntryRow,
    ListRow,
    PrekeyRow,
    RemovedEntries,
    SenderLoad,
    SlotRow,
    StatementRow,
    SubmissionKey,
)
from untether.relay.transaction import RelayStore, RelayTransaction

ALICE = AccountId(b"alice's account.")
BOB = AccountId(b"bob's account id")
PHONE = DeviceAddress(ALICE, DeviceNumber(0))
LAPTOP = DeviceAddress(ALICE, DeviceNumber(3))
BOBS = DeviceAddress(BOB, DeviceNumber(0))
NOW = UnixMillis(1_790_000_000_000)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RelayStore]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryRelayStore()
        return
    sqlite = SqliteRelayStore.open(tmp_path / "relay.sqlite3")
    yield sqlite
    await sqlite.close()


def account_row(account_id: AccountId = ALICE, name: str = "alice") -> AccountRow:
    """Return an account with a phone and a laptop."""
    numbers = (PHONE.device, LAPTOP.device)
    return AccountRow(account_id, account_id * 2, name, 0, 1, b"h" * 32, NOW, PHONE.device, numbers)


def entry(number: int, sender: AccountId = BOB, body_id: int | None = None) -> EntryRow:
    """Return an entry of the phone's mailbox."""
    return EntryRow(
        account_id=ALICE,
        device=PHONE.device,
        number=number,
        sender=sender,
        sender_device=DeviceNumber(0),
        accepted_at=UnixMillis(NOW + number),
        message_id=MessageId(bytes([number]) * 16),
        header=b"header" if body_id else None,
        absent=None if body_id else "asleep",
        body_id=body_id,
        size=10 * number,
    )


def pair(number: int, address: DeviceAddress = PHONE) -> PrekeyRow:
    """Return a prekey pair."""
    prekey_id = bytes([number]) * 8
    return PrekeyRow(*address, prekey_id, number, b"body", b"signature")


# --- transactions -----------------------------------------------------------------------------


async def count_up(tx: RelayTransaction, times: int = 1) -> int:
    """Add to a counter kept in a setting; each step reads and writes."""
    value = 0
    for _ in range(times):
        value = int(await tx.setting("counter") or b"0") + 1
        await tx.put_setting("counter", b"%d" % value)
    return value


async def test_decisions_are_isolated(store: RelayStore) -> None:
    """Many at the same time lose no update: each saw the rows as if alone."""
    results = await asyncio.gather(*(store.transact(count_up, 3) for _ in range(40)))
    assert sorted(results) == [3 * (number + 1) for number in range(40)]


async def test_a_decision_sees_its_own_writes(store: RelayStore) -> None:
    """Within a transaction what was written can be read."""
    assert await store.transact(count_up, 5) == 5


async def test_a_failing_decision_leaves_no_trace_and_harms_no_neighbour(
    store: RelayStore,
) -> None:
    """Before or after its first write: its exception comes out, everything else goes on."""

    async def fail_early(tx: RelayTransaction) -> None:
        await tx.setting("counter")
        raise ValueError("early")

    async def fail_late(tx: RelayTransaction) -> None:
        await count_up(tx, 100)
        await tx.put_account(account_row())
        raise ValueError("late")

    outcomes = await asyncio.gather(
        store.transact(count_up),
        store.transact(fail_early),
        store.transact(count_up),
        store.transact(fail_late),
        store.transact(count_up),
        store.transact(fail_late),
        return_exceptions=True,
    )
    assert sorted(one for one in outcomes if isinstance(one, int)) == [1, 2, 3]
    assert sorted(str(one) for one in outcomes if isinstance(one, ValueError)) == [
        "early",
        "late",
        "late",
    ]

    async def read(tx: RelayTransaction) -> tuple[bytes | None, AccountRow | None]:
        return await tx.setting("counter"), await tx.account(ALICE)

    assert await store.transact(read) == (b"3", None)


async def test_one_who_goes_away_disturbs_nobody(store: RelayStore) -> None:
    """A cancelled asker leaves the others their answers."""
    gone = asyncio.ensure_future(store.transact(count_up))
    stays = asyncio.ensure_future(store.transact(count_up))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays in {1, 2}
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_arguments_arrive(store: RelayStore) -> None:
    """By position and by name."""

    async def decide(tx: RelayTransaction, one: int, *, two: int) -> int:
        return one + two

    assert await store.transact(decide, 1, two=2) == 3


# --- rows -------------------------------------------------------------------------------------


async def test_accounts_and_lists(store: RelayStore) -> None:
    """Accounts by id and name, lists by place and hash, statements in order."""
    rows = [
        ListRow(ALICE, generation, version, bytes([generation, version]) * 16, b"b", b"s")
        for generation, version in ((0, 1), (0, 2), (1, 1))
    ]

    async def decide(tx: RelayTransaction) -> None:
        assert await tx.account(ALICE) is None
        assert await tx.account_named("alice") is None
        await tx.put_account(account_row())
        await tx.put_account(account_row(BOB, "bob"))
        changed = account_row()._replace(version=2, present=(PHONE.device,))
        await tx.put_account(changed)
        assert await tx.account(ALICE) == changed
        assert await tx.account_named("alice") == ALICE
        for row in rows:
            await tx.add_list(row)
        assert await tx.list_at(ALICE, 0, 2) == rows[1]
        assert await tx.list_at(BOB, 0, 2) is None
        assert await tx.list_by_hash(ALICE, rows[2].hash) == rows[2]
        assert await tx.list_by_hash(ALICE, b"?") is None
        assert list(await tx.lists_after(ALICE, 0, 1, 9)) == rows[1:]
        assert list(await tx.lists_after(ALICE, -1, 0, 2)) == rows[:2]
        wipe = StatementRow(ALICE, "wipe-order", LAPTOP.device, b"b", b"s")
        resignation = StatementRow(ALICE, "resignation", LAPTOP.device, b"b", b"s")
        for statement in (wipe, resignation, wipe):
            await tx.put_statement(statement)
        assert list(await tx.statements(ALICE, [PHONE.device, LAPTOP.device])) == [
            resignation,
            wipe,
        ]
        assert list(await tx.statements(ALICE, [PHONE.device])) == []
        assert list(await tx.statements(BOB, [LAPTOP.device])) == []
        assert await tx.key_owner(b"key") is None
        await tx.put_key_owner(b"key", PHONE)
        assert await tx.key_owner(b"key") == PHONE

    await store.transact(decide)

    async def read_again(tx: RelayTransaction) -> AccountRow | None:
        return await tx.account(ALICE)

    assert await store.transact(read_again) == account_row()._replace(
        version=2, present=(PHONE.device,)
    )


async def test_devices(store: RelayStore) -> None:
    """Rows by address, of one account, and of all in order."""
    phone, laptop, bobs = new_device(PHONE), new_device(LAPTOP), new_device(BOBS)

    async def decide(tx: RelayTransaction) -> list[DeviceRow]:
        for row in (laptop, bobs, phone, phone._replace(entries=7)):
            await tx.put_device(row)
        assert await tx.device(PHONE) == phone._replace(entries=7)
        assert list(await tx.devices(ALICE)) == [phone._replace(entries=7), laptop]
        await tx.put_device(phone)
        assert list(await tx.devices_after(PHONE, 1)) == [laptop]
        assert list(await tx.devices_after(LAPTOP, 9)) == [bobs]
        await tx.delete_device(LAPTOP)
        assert await tx.device(LAPTOP) is None
        return list(await tx.devices_after(None, 9))

    assert await store.transact(decide) == [phone, bobs]


async def test_entries_and_bodies(store: RelayStore) -> None:
    """Ranges are read in order within bounds, and removed with what they named."""

    async def decide(tx: RelayTransaction) -> None:
        body_id = await tx.add_body(b"body", 2)
        other_id = await tx.add_body(b"other", 1)
        for row in (
            entry(1, body_id=body_id),
            entry(2, ALICE),
            entry(3, body_id=body_id),
            entry(4, body_id=other_id),
        ):
            await tx.add_entry(row)
        stored = await tx.entries(PHONE, 1, count_max=2, bytes_max=1_000)
        assert [(one.row.number, one.body) for one in stored] == [(2, None), (3, b"body")]
        assert stored[1].row == entry(3, body_id=body_id)
        for bytes_max, count in ((0, 1), (29, 1), (30, 2), (60, 3), (1_000, 4)):
            found = await tx.entries(PHONE, 0, count_max=9, bytes_max=bytes_max)
            assert len(found) == count
        assert list(await tx.entries(PHONE, 0, count_max=0, bytes_max=9)) == []
        assert await tx.count_entries(PHONE, 3) == 3
        assert await tx.sender_load(PHONE, BOB) == SenderLoad(3, 80)
        assert await tx.sender_load(LAPTOP, BOB) == SenderLoad(0, 0)
        assert await tx.last_entry_before(PHONE, NOW + 3, 9) == 2
        assert await tx.last_entry_before(PHONE, NOW + 3, 1) == 1
        assert await tx.last_entry_before(PHONE, NOW, 9) == 0
        removed = await tx.delete_entries(PHONE, 3)
        assert removed == RemovedEntries(3, 60, {body_id: 2})
        await tx.release_bodies({other_id: 0})
        await tx.release_bodies(removed.bodies)
        left = await tx.entries(PHONE, 0, count_max=9, bytes_max=1_000)
        assert [one.body for one in left] == [b"other"]
        assert await tx.delete_entries(PHONE, 3) == RemovedEntries(0, 0, {})

    await store.transact(decide)


async def test_submissions(store: RelayStore) -> None:
    """Remembered by their whole key, forgotten by age in bounded steps."""
    key = SubmissionKey(ALICE, BOB, DeviceNumber(0), MessageId(b"m" * 16), ALL_DEVICES)

    async def decide(tx: RelayTransaction) -> None:
        assert await tx.submission(key) is None
        for number in range(3):
            await tx.add_submission(key._replace(target=number), UnixMillis(NOW + number))
        await tx.add_submission(key, NOW)
        assert await tx.submission(key) == NOW
        assert await tx.submission(key._replace(target=2)) == NOW + 2
        assert await tx.delete_submissions(NOW, 9) == 0
        assert await tx.delete_submissions(NOW + 2, 2) == 2
        assert await tx.delete_submissions(NOW + 2, 2) == 1
        assert await tx.submission(key._replace(target=2)) == NOW + 2

    await store.transact(decide)


async def test_prekeys(store: RelayStore) -> None:
    """Pairs in the order of deposit; used ids are remembered until they are too old."""

    async def decide(tx: RelayTransaction) -> None:
        assert await tx.rotating_prekey(PHONE) is None
        for row in (pair(1), pair(2)):
            await tx.put_rotating_prekey(row)
        assert await tx.rotating_prekey(PHONE) == pair(2)
        assert await tx.first_one_time_prekey(PHONE) is None
        for row in (pair(9), pair(3), pair(5), pair(3, LAPTOP)):
            await tx.add_one_time_prekey(row)
        assert await tx.count_one_time_prekeys(PHONE) == 3
        assert await tx.first_one_time_prekey(PHONE) == pair(9)
        await tx.delete_one_time_prekey(PHONE, pair(9).prekey_id, NOW)
        assert await tx.first_one_time_prekey(PHONE) == pair(3)
        ids = [pair(number).prekey_id for number in (3, 7, 9)]
        assert await tx.known_prekey_ids(PHONE, ids) == {ids[0], ids[2]}
        assert await tx.known_prekey_ids(LAPTOP, ids) == {ids[0]}
        assert await tx.delete_handed_out_prekeys(NOW, 9) == 0
        assert await tx.delete_handed_out_prekeys(UnixMillis(NOW + 1), 9) == 1
        assert await tx.known_prekey_ids(PHONE, ids) == {ids[0]}
        assert await tx.claim_due_at(PHONE, BOB) == 0
        for due_at in (5, 6):
            await tx.put_claim_due_at(PHONE, BOB, due_at)
        await tx.put_claim_due_at(LAPTOP, BOB, 9)
        assert await tx.claim_due_at(PHONE, BOB) == 6
        assert await tx.delete_claim_limits(7, 9) == 1
        assert await tx.claim_due_at(PHONE, BOB) == 0
        await tx.delete_prekeys(LAPTOP)
        assert await tx.claim_due_at(LAPTOP, BOB) == 0
        assert await tx.count_one_time_prekeys(LAPTOP) == 0
        assert await tx.count_one_time_prekeys(PHONE) == 2

    await store.transact(decide)


async def test_push_endpoints(store: RelayStore) -> None:
    """One for each device: the newest."""

    async def decide(tx: RelayTransaction) -> None:
        assert await tx.push_endpoint(PHONE) is None
        for endpoint in ("old", "new"):
            await tx.put_push_endpoint(PHONE, endpoint)
            await tx.put_push_endpoint(LAPTOP, f"laptop's {endpoint}")
        assert await tx.push_endpoint(PHONE) == "new"
        await tx.delete_push_endpoint(PHONE)
        await tx.delete_push_endpoint(PHONE)
        assert await tx.push_endpoint(PHONE) is None
        assert await tx.push_endpoint(LAPTOP) == "laptop's new"

    await store.transact(decide)


async def test_slots_invitations_and_settings(store: RelayStore) -> None:
    """What guests leave behind ends by itself."""
    slots = [SlotId(bytes([number]) * 16) for number in range(3)]

    async def decide(tx: RelayTransaction) -> None:
        for number, slot_id in enumerate(slots):
            await tx.put_slot(SlotRow(slot_id, UnixMillis(NOW + number), None))
            await tx.add_slot_item(slot_id, 0, b"offer")
        claimed = SlotRow(slots[2], UnixMillis(NOW + 2), PHONE)
        await tx.put_slot(claimed)
        assert await tx.slot(slots[2]) == claimed
        assert await tx.slot(SlotId(b"?" * 16)) is None
        assert await tx.slot_item(slots[2], 0) == b"offer"
        assert await tx.slot_item(slots[2], 1) is None
        assert [await tx.count_slots(NOW + after) for after in (-1, 0, 2)] == [3, 2, 0]
        assert await tx.delete_slots(NOW + 2, 1) == 1
        assert await tx.delete_slots(NOW + 2, 9) == 1
        assert await tx.slot_item(slots[0], 0) is None
        assert await tx.slot(slots[2]) == claimed
        for code_hash, expires_at in ((b"a", NOW), (b"b", UnixMillis(NOW + 5))):
            await tx.add_invitation(code_hash, expires_at)
        assert await tx.invitation_expires_at(b"b") == NOW + 5
        assert await tx.delete_invitations(NOW + 1, 9) == 1
        assert await tx.invitation_expires_at(b"a") is None
        await tx.delete_invitation(b"b")
        assert await tx.invitation_expires_at(b"b") is None
        assert await tx.setting("relay-id") is None
        for value in (b"1", b"2"):
            await tx.put_setting("relay-id", value)
        assert await tx.setting("relay-id") == b"2"

    await store.transact(decide)
