"""Mail that can't be opened yet, or never: parked, bounded, and told with a cause."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.attacks.lying_relay import say_nothing_of, served_lists
from tests.conversations.mishaps import query
from tests.world import World, WorldDevice

from untether.base.identifiers import (
    DAY_MS,
    SECOND_MS,
    AccountId,
    DeviceNumber,
    MessageId,
    UnixMillis,
)
from untether.base.limits import PARKED_MS, PARKED_PER_UNKNOWN_ACCOUNT_MAX, UNACKNOWLEDGED_MAX
from untether.device import directory, events, inbox, inputs
from untether.device.context import Context
from untether.device.store import inbox as rows
from untether.wire.records import Stamp
from untether.wire.server_frames import Deliveries, Entry


def _entry(number: int, sender: AccountId, *, size: int = 10, device: int = 0) -> Entry:
    return Entry(
        stamp=Stamp(1, number),
        sender=sender,
        sender_device=DeviceNumber(device),
        accepted_at=UnixMillis(1),
        message_id=MessageId(number.to_bytes(16, "big")),
        header=b"\1" * 10,
        body=b"\2" * size,
    )


def _deliver(device: WorldDevice, *entries: Entry, remaining: int = 1) -> list[events.Event]:
    return device.feed(inputs.RelayPushed(Deliveries(entries, remaining=remaining)))


def _causes(device: WorldDevice, code: str) -> list[object]:
    return [
        event.details["cause"]
        for event in device.happened(events.NoticePosted)
        if event.code == code
    ]


def test_a_first_message_of_a_stranger_waits_for_the_strangers_list() -> None:
    """The list comes late: both messages are opened in their order."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    with say_nothing_of(world, alice.own.account_id):
        alice.send("bob", "one")
        world.pass_time(1)
        alice.send("bob", "two")
        assert bob.texts() == []
        assert world.mailbox_is_empty(bob)
        assert query(bob, "SELECT count(*) FROM parked WHERE state = 'waiting'") == [(2,)]
    bob.connect()
    assert bob.texts() == ["one", "two"]
    assert query(bob, "SELECT count(*) FROM parked") == [(0,)]


def test_a_long_absence_of_a_new_companion_loses_nothing() -> None:
    """It knows nobody when a whole window of a friend's mail comes before the friend's list can."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    laptop = world.link(bob, "bob's laptop")
    laptop.disconnect()
    bob.disconnect()
    alice.send("bob", "0")
    for number in range(1, UNACKNOWLEDGED_MAX):
        world.pass_time(SECOND_MS // 10)
        alice.send_to(bob.own.account_id, str(number))
    bob.connect()
    laptop.connect()
    everything = [str(number) for number in range(UNACKNOWLEDGED_MAX)]
    assert laptop.texts() == bob.texts() == everything
    assert "message-lost" not in laptop.notices()
    assert query(laptop, "SELECT count(*) FROM parked") == [(0,)]


def test_mail_of_a_device_not_listed_yet_waits_for_the_next_list() -> None:
    """A companion that was just linked writes before anybody has its list."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    alice.send("bob", "hello")
    laptop = world.link(alice, "alice's laptop")
    with say_nothing_of(world, alice.own.account_id):
        laptop.send("bob", "from the new laptop")
        assert bob.texts() == ["hello"]
    bob.connect()
    assert bob.texts() == ["hello", "from the new laptop"]


def test_parked_mail_is_opened_when_the_list_came_by_another_way() -> None:
    """At the next connection everything that waits is tried before anything is asked again."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    with say_nothing_of(world, alice.own.account_id):
        alice.send("bob", "one")
    lists = served_lists(world, alice.own.account_id)
    with bob.database.transaction():
        context = Context(bob.database, world.now, world.randomness)
        directory.learn(context, alice.own.account_id, lists)
        inbox.look_after_parked(context)
    assert bob.texts() == ["one"]


def test_one_unknown_account_can_park_only_so_much() -> None:
    """Beyond that its mail is given up with a cause; a repeated entry takes no second place."""
    world = World()
    bob = world.register("bob")
    stranger = AccountId(b"s" * 16)
    entries = [_entry(1 + n, stranger) for n in range(PARKED_PER_UNKNOWN_ACCOUNT_MAX + 1)]
    _deliver(bob, *entries[:-1])
    count = "SELECT count(*) FROM parked WHERE state = 'waiting'"
    assert query(bob, count) == [(PARKED_PER_UNKNOWN_ACCOUNT_MAX,)]
    assert "message-lost" not in bob.notices()
    _deliver(bob, structs.replace(entries[0], stamp=Stamp(2, 1)))
    assert query(bob, count) == [(PARKED_PER_UNKNOWN_ACCOUNT_MAX,)]
    _deliver(bob, structs.replace(entries[-1], stamp=Stamp(2, 2)))
    assert _causes(bob, "message-lost") == ["too-many-from-unknown"]


@pytest.mark.parametrize("bound", ["PARKED_FROM_UNKNOWN_MAX", "PARKED_FROM_UNKNOWN_BYTES_MAX"])
def test_all_unknown_accounts_together_are_bounded(
    bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd of strangers can't fill the disk, by number or by size."""
    monkeypatch.setattr(inbox, bound, 3 if bound.endswith("UNKNOWN_MAX") else 3_000)
    world = World()
    bob = world.register("bob")
    for number in range(1, 6):
        _deliver(bob, _entry(number, AccountId(bytes([number]) * 16), size=1_000))
    assert query(bob, "SELECT count(*) FROM parked") == [(3,)]
    assert _causes(bob, "message-lost") == ["too-many-from-unknown"] * 2


def test_twin_without_the_bound_a_crowd_fills_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switched off: everything stays."""
    monkeypatch.setattr(inbox, "PARKED_PER_UNKNOWN_ACCOUNT_MAX", 10**9)
    world = World()
    bob = world.register("bob")
    for number in range(1, PARKED_PER_UNKNOWN_ACCOUNT_MAX + 3):
        _deliver(bob, _entry(number, AccountId(b"s" * 16)))
    assert query(bob, "SELECT count(*) FROM parked") == [(PARKED_PER_UNKNOWN_ACCOUNT_MAX + 2,)]


def test_what_waited_thirty_days_is_given_up_and_later_forgotten() -> None:
    """With a cause for people; the sealed bytes go at once, the row another 30 days later."""
    world = World()
    bob = world.register("bob")
    _deliver(bob, _entry(1, AccountId(b"s" * 16)))
    world.pass_time(PARKED_MS - 1)
    bob.connect()
    assert "message-lost" not in bob.notices()
    world.pass_time(2)
    bob.connect()
    assert _causes(bob, "message-lost") == ["sender-never-known"]
    assert query(bob, "SELECT state, length(entry) FROM parked") == [("given-up", 0)]
    world.pass_time(PARKED_MS + 1)
    bob.connect()
    assert query(bob, "SELECT count(*) FROM parked") == [(0,)]


def test_a_parked_entry_that_turns_out_forged_is_given_up_with_its_cause() -> None:
    """The list is here, no key of that device fits, and it knows nothing of the message."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    bob.send("alice", "hello")
    alice.send("bob", "hello")
    laptop = world.link(alice, "alice's laptop")
    alice.send("bob", "I have a laptop")
    _deliver(bob, _entry(9, alice.own.account_id, device=laptop.own.device))
    world.pass_time(DAY_MS)
    assert _causes(bob, "message-waits") == ["bad-message"]
    assert _causes(bob, "message-not-readable") == ["bad-message"]
    with bob.database.transaction():
        assert rows.count_given_up(bob.database) == 1
    assert query(bob, "SELECT length(entry) FROM parked") == [(0,)]


def test_a_device_that_could_not_be_sealed_for_hears_why() -> None:
    """The placeholder names the reason: nobody is left wondering about a gap."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    alice.send("bob", "hello")
    for number, reason in enumerate(("unsealable", "asleep", "lease-expired"), start=50):
        placeholder = Entry(
            stamp=Stamp(1, number),
            sender=alice.own.account_id,
            sender_device=alice.own.device,
            accepted_at=world.now,
            message_id=MessageId(bytes([number]) * 16),
            header=None,
            body=None,
            absent=reason,  # type: ignore[arg-type]
        )
        _deliver(bob, placeholder)
        assert _causes(bob, "message-waits") == [f"not-sealed-{reason}"]
        bob.events.clear()
        with bob.database.transaction():
            bob.database.run("DELETE FROM repairs")


def test_entries_acknowledged_before_are_passed_over() -> None:
    """A relay that pushes old stamps again causes no second attempt."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    alice.send("bob", "hello")
    before = bob.own.acknowledged
    assert before is not None
    _deliver(bob, _entry(before.number, alice.own.account_id))
    assert "message-not-readable" not in bob.notices()


def test_mail_that_the_relay_dropped_is_told() -> None:
    """A gap notice, acknowledged with the rest."""
    world = World()
    bob = world.register("bob")
    bob.feed(inputs.RelayPushed(Deliveries((), dropped=3, gap_at=Stamp(1, 9))))
    assert "mail-lost" in bob.notices()
    assert bob.own.acknowledged == Stamp(1, 9)
