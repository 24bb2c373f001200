"""Messages that did not come are named by their counters (spec 07, "Gaps")."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import structs
from tests.conversations.mishaps import query, recover
from tests.world import World, WorldDevice
from tests.world_relay import Link

from untether.base.identifiers import DAY_MS, MINUTE_MS
from untether.base.limits import MISSING_TOLD_MS
from untether.device import events
from untether.wire.records import Stamp
from untether.wire.server_frames import Deliveries, Entry, ServerFrame


@contextmanager
def losing(world: World, *readers: WorldDevice) -> Iterator[list[Entry]]:
    """Let the relay lose the mail of some devices; what it lost is collected."""
    lost: list[Entry] = []

    def lose(link: Link, frame: ServerFrame) -> ServerFrame:
        if link.device in readers and isinstance(frame, Deliveries):
            lost.extend(frame.entries)
            return Deliveries(())
        return frame

    world.relay.lie = lose
    try:
        yield lost
    finally:
        world.relay.lie = lambda _, frame: frame


def missing(device: WorldDevice) -> list[tuple[object, object]]:
    """Return device and count of each notice that something is missing."""
    return [
        (one.details["device"], one.details["count"])
        for one in device.happened(events.NoticePosted)
        if one.code == "messages-missing"
    ]


def unseen(device: WorldDevice) -> list[tuple[object, ...]]:
    """Return how many messages the notices that nobody has seen name."""
    return query(
        device,
        "SELECT json_extract(details, '$.count') FROM notices "
        "WHERE code = 'messages-missing' AND shown = 0",
    )


def test_lost_messages_are_named_with_sender_and_count() -> None:
    """Each device tells what it did not get, a moment after the next message."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    laptop = world.link(alice, "alice's laptop")
    bob.send("alice", "one")
    with losing(world, alice, laptop):
        bob.send("alice", "two")
        bob.send("alice", "three")
    bob.send("alice", "four")
    world.pass_time(MISSING_TOLD_MS - 1)
    assert missing(alice) == missing(laptop) == []
    world.pass_time(1)
    assert missing(alice) == missing(laptop) == [(bob.own.device, 2)]
    bob.send("alice", "five")
    world.pass_time(DAY_MS)
    assert len(missing(alice)) == len(missing(laptop)) == 1


def test_the_very_first_messages_are_missed_too() -> None:
    """A phone that its account began with knows that everything was meant for it."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    with losing(world, alice):
        bob.send("alice", "one")
        bob.send("alice", "two")
    bob.send("alice", "three")
    world.pass_time(MISSING_TOLD_MS)
    assert missing(alice) == [(0, 2)]


def test_own_copies_are_missed_too() -> None:
    """What a younger sibling wrote and did not reach this device is named likewise."""
    world = World()
    alice = world.register("alice")
    world.register("bob")
    laptop = world.link(alice, "alice's laptop")
    tablet = world.link(alice, "alice's tablet")
    with losing(world, alice, laptop):
        tablet.send("bob", "one")
    tablet.send("bob", "two")
    world.pass_time(MISSING_TOLD_MS)
    assert missing(alice) == missing(laptop) == [(tablet.own.device, 1)]


def test_what_a_later_message_overtook_is_not_called_missing() -> None:
    """Disorder of less than a minute is nobody's business."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    bob.send("alice", "one")
    with losing(world, alice) as late:
        bob.send("alice", "two")
    bob.send("alice", "three")
    world.pass_time(MISSING_TOLD_MS - 1)
    deliver(world, alice, late)
    world.pass_time(DAY_MS)
    assert missing(alice) == []
    assert query(alice, "SELECT * FROM counters_missing") == []
    assert sorted(alice.texts()) == ["one", "three", "two"]


def test_a_message_that_comes_after_all_takes_the_notice_back() -> None:
    """Two of three come late: first the count falls, then nothing is to be told any more."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    with losing(world, alice) as late:
        for text in ("one", "two", "three"):
            bob.send("alice", text)
    bob.send("alice", "four")
    world.pass_time(MISSING_TOLD_MS)
    assert unseen(alice) == [(3,)]
    deliver(world, alice, late[1:2])
    assert unseen(alice) == [(2,)]
    deliver(world, alice, late)
    assert unseen(alice) == []
    assert len(missing(alice)) == 1


def deliver(world: World, device: WorldDevice, entries: list[Entry]) -> None:
    """Let the relay find what it had lost."""
    assert device.link is not None
    stamp = device.own.acknowledged
    assert stamp is not None
    following = Stamp(stamp.incarnation, stamp.number + 1)
    found = tuple(structs.replace(entry, stamp=following) for entry in entries)
    world.relay._send(device.link, 0, Deliveries(found, remaining=1))
    world.settle()


def test_what_was_told_with_its_cause_is_not_told_again() -> None:
    """A message that came and could not be opened is named once, by its cause."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    laptop = world.link(alice, "alice's laptop")
    bob.send("alice", "one")
    laptop.disconnect()
    damaging = damaged(world, laptop)
    bob.send("alice", "two")
    laptop.connect()
    world.relay.lie = lambda _, frame: frame
    assert damaging
    bob.send("alice", "three")
    world.pass_time(DAY_MS)
    assert laptop.notices().count("message-waits") == 1
    assert missing(laptop) == []


def damaged(world: World, reader: WorldDevice) -> list[Entry]:
    """Let the relay change the bodies of a device's mail; returns what it has changed."""
    changed: list[Entry] = []

    def damage(link: Link, frame: ServerFrame) -> ServerFrame:
        if link.device is not reader or not isinstance(frame, Deliveries):
            return frame
        changed.extend(frame.entries)
        bad = tuple(structs.replace(one, body=b"not sealed") for one in frame.entries)
        return Deliveries(bad, frame.remaining)

    world.relay.lie = damage
    return changed


def test_a_new_companion_misses_nothing_of_before() -> None:
    """It was not meant to get what was written before it was linked."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    for text in ("one", "two"):
        bob.send("alice", text)
        alice.send("bob", text)
    laptop = world.link(alice, "alice's laptop")
    bob.send("alice", "three")
    alice.send("bob", "three")
    world.pass_time(DAY_MS)
    assert missing(laptop) == []


def test_a_recovered_phone_is_no_gap_and_misses_nothing_of_before() -> None:
    """Neither what a new phone of Bob writes, nor what a new phone of Alice hears."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    laptop = world.link(alice, "alice's laptop")
    for text in ("one", "two"):
        bob.send("alice", text)
        laptop.send("bob", text)
    bob.disconnect()
    new_bob = recover(world, bob)
    new_bob.send("alice", "from a new phone")
    alice.disconnect()
    new_alice = recover(world, alice, keep=(laptop,))
    new_bob.send("alice", "to a new phone")
    laptop.send("bob", "to both")
    world.pass_time(MINUTE_MS)
    for device in (laptop, new_alice, new_bob):
        assert missing(device) == [], device.label
