"""What the simulation says of bounds that were exceeded, by one row each."""

from __future__ import annotations

import pytest
from simulation.checkers import bounds
from simulation.device_actor import DeviceActor
from simulation.faults import Faults
from simulation.world import World

from untether.base import limits
from untether.base.identifiers import AccountId, DeviceNumber, MessageId, UnixMillis
from untether.relay.rows import EntryRow

NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT ?) "
REPAIRS = (
    "INSERT INTO repairs (peer, message_id, cause, accepted_at, begun_at, due_at) "
    "SELECT peer, randomblob(16), 'bad-message', 0, 0, 0 FROM numbers, peers "
)
OF_A_CONTACT = "WHERE ?2 AND peer = (SELECT min(peer) FROM peers JOIN contacts USING (account_id))"
SENT = (
    "INSERT INTO sent (message_id, content, devices, sent_at) "
    "SELECT randomblob(16), x'00', x'00', ?2 FROM numbers"
)
STRANGERS = (
    "INSERT INTO peers (account_id, device, signing_key, agreement_key) "
    "SELECT randomblob(16), ?2, x'00', x'00' FROM numbers"
)


def parked(account: str, state: str, entry: str = "x'00'") -> str:
    """Write the statement that parks mail."""
    columns = "account_id, device, message_id, entry, cause, state, parked_at"
    row = f"{account}, ?2, randomblob(16), {entry}, '', '{state}', 0"
    return f"INSERT INTO parked ({columns}) SELECT {row} FROM numbers"  # noqa: S608 (constants)


MAIL = limits.FRAME_MAX
FILLED = [
    ("parked mail", limits.PARKED_FROM_UNKNOWN_MAX, parked("randomblob(16)", "waiting")),
    (
        "parked mail of an account",
        limits.PARKED_PER_UNKNOWN_ACCOUNT_MAX,
        parked("zeroblob(16)", "waiting"),
    ),
    (
        "bytes of parked mail",
        limits.PARKED_FROM_UNKNOWN_BYTES_MAX // MAIL + 1,
        parked("randomblob(16)", "waiting", f"zeroblob({MAIL})"),
    ),
    ("given-up mail", limits.GIVEN_UP_KEPT_MAX, parked("randomblob(16)", "given-up")),
    ("repairs with an account", limits.REPAIRS_PER_ACCOUNT_MAX, REPAIRS + OF_A_CONTACT),
    ("messages kept for repairs", limits.KEPT_SENT_MAX, SENT),
    (
        "notices of a code",
        limits.NOTICES_PER_CODE_MAX,
        "INSERT INTO notices (code, details, posted_at) SELECT 'test', '{}', ?2 FROM numbers",
    ),
]
"""Name of a bound, how many rows fill it, what adds rows."""


@pytest.fixture(scope="module")
def world() -> World:
    """Return a world at rest, in which nothing went wrong."""
    world = World(1, Faults(), 20)
    world.run()
    return world


@pytest.fixture
def device(world: World) -> DeviceActor:
    """Return a device with nothing to repair, to give up or to tell."""
    device = world.people.persons[0].devices[0]
    with device.looking() as database:
        for table in ("repairs", "parked", "sent", "notices"):
            database.run(f"DELETE FROM {table}")  # noqa: S608 (constant)
    return device


def test_a_world_at_rest_is_within_all_bounds(world: World, device: DeviceActor) -> None:
    """Nobody is accused of anything."""
    assert list(bounds.check(world)) == []


@pytest.mark.parametrize(("name", "most", "fill"), FILLED, ids=[name for name, _, _ in FILLED])
def test_one_row_too_many_is_told(
    world: World, device: DeviceActor, name: str, most: int, fill: str
) -> None:
    """At the bound nothing is said."""
    with device.looking() as database:
        database.run(NUMBERS + fill, most, 1)
    assert list(bounds.check(world)) == []
    with device.looking() as database:
        database.run(NUMBERS + fill, 1, 1)
    [told] = bounds.check(world)
    assert f" {name}, at most " in told


def test_repairs_with_many_strangers_are_counted_together(
    world: World, device: DeviceActor
) -> None:
    """Under however many names they come."""
    number = 77
    with device.looking() as database:
        database.run(NUMBERS + STRANGERS, limits.REPAIRS_OF_STRANGERS_MAX, number)
        database.run(NUMBERS + REPAIRS + "WHERE device = ?2", 1, number)
    assert list(bounds.check(world)) == []
    with device.looking() as database:
        database.run(NUMBERS + STRANGERS, 1, number + 1)
        database.run(NUMBERS + REPAIRS + "WHERE device = ?2", 1, number + 1)
    assert list(bounds.check(world)) == [f"{device.name} has 1001 repairs with strangers"]


def test_a_mailbox_is_bounded_by_entries_and_bytes(world: World, device: DeviceActor) -> None:
    """Many small ones are too many, and a few large ones too large."""

    def mailbox(entries: int, size: int) -> dict[object, EntryRow]:
        account, mallory = AccountId(bytes(16)), DeviceNumber(0)
        return {
            number: EntryRow(
                account,
                mallory,
                number,
                account,
                mallory,
                UnixMillis(0),
                MessageId(bytes(16)),
                header=None,
                absent="asleep",
                body_id=None,
                size=size,
            )
            for number in range(entries)
        }

    place = ("entries", bytes(16), 0)
    full = limits.MAILBOX_BYTES_MAX // 4
    for entries, size, told in (
        (limits.MAILBOX_ENTRIES_MAX, 0, []),
        (limits.MAILBOX_ENTRIES_MAX + 1, 0, ["a mailbox has 10001 entries"]),
        (4, full, []),
        (4, full + 1, [f"a mailbox has {limits.MAILBOX_BYTES_MAX + 4} bytes"]),
    ):
        world.store.partitions[place] = mailbox(entries, size)
        assert list(bounds.check(world)) == told
    del world.store.partitions[place]
