"""A relay that was put back from an old copy of its database (spec 02, "Copies"; spec 08)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conversations.list_views import head_of
from tests.crashes.relay_on_disk import WorldOnDisk
from tests.world import WorldDevice

from untether.base.identifiers import DAY_MS, AccountId, DeviceAddress
from untether.base.limits import MISSING_TOLD_MS, ONE_TIME_PREKEYS
from untether.device import events, gaps, inputs
from untether.device.store import prekeys
from untether.device.store.database import Database
from untether.relay import mailbox
from untether.relay.transaction import RelayTransaction


@pytest.fixture
def world(tmp_path: Path) -> Iterator[WorldOnDisk]:
    """A world with a relay on a disk."""
    made = WorldOnDisk(tmp_path)
    yield made
    made.stop_relay()


def lost_texts(writer: WorldDevice, reader: WorldDevice) -> list[str]:
    """Return what the relay has accepted from one and the other does not have."""
    assert {message.state for message in writer.history()} <= {"sent", "delivered"}
    return [text for text in writer.texts() if text not in reader.texts()]


@pytest.mark.parametrize("healer", ["phone", "laptop"])
def test_any_own_device_heals_the_lists(world: WorldOnDisk, healer: str) -> None:
    """The lists that the relay forgot come back with whichever device is there first."""
    alice, bob = world.register("alice"), world.register("bob")
    laptop = world.link(alice, "alice's laptop")
    bob.send("alice", "before")
    world.copy_relay()
    alice.feed(inputs.SetLease(90 * DAY_MS))
    world.settle()
    tablet = world.link(alice, "alice's tablet")
    world.put_relay_back()

    healing = alice if healer == "phone" else laptop
    healing.connect()
    newest = head_of(healing, alice.own.account_id)
    assert newest.version >= head_of(tablet, alice.own.account_id).version
    bob.connect()
    bob.send("alice", "while the tablet is away")  # the relay has forgotten its prekeys too
    assert head_of(bob, alice.own.account_id) == newest
    for device in (alice, laptop, tablet):
        device.connect()
    world.pass_time(DAY_MS)  # so long nobody asks again for prekeys that were missing
    bob.send("alice", "after")
    assert [one.texts()[-1] for one in (alice, laptop, tablet)] == ["after"] * 3
    unread = [one for one in tablet.happened(events.NoticePosted) if one.account_id is not None]
    assert [(one.code, one.details["cause"]) for one in unread] == [
        ("message-waits", "not-sealed-unsealable")
    ]


def numbers_given_again(world: WorldOnDisk) -> list[str]:
    """Let a relay forget five messages and give out their numbers before Alice is back."""
    alice, bob = world.register("alice"), world.register("bob")
    bob.send("alice", "before")
    world.copy_relay()
    for number in range(5):
        bob.send("alice", f"forgotten {number}")
    assert len(alice.texts()) == 6
    world.put_relay_back()
    bob.connect()
    for number in range(8):
        bob.send("alice", f"after {number}")
    alice.connect()
    return lost_texts(bob, alice)


def test_numbers_that_are_given_again_lose_nothing(world: WorldOnDisk) -> None:
    """Alice acknowledges up to a number that names another message by now: it is not deleted."""
    assert numbers_given_again(world) == []


def test_twin_without_incarnations_new_mail_is_taken_for_old(
    world: WorldOnDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: what has the numbers of forgotten mail is deleted unseen."""

    async def always_one(_tx: RelayTransaction, _now: int) -> int:
        return 1

    monkeypatch.setattr(mailbox, "begin_incarnation", always_one)
    assert numbers_given_again(world) == [f"after {number}" for number in range(5)]


@pytest.fixture
def accepted(monkeypatch: pytest.MonkeyPatch) -> Counter[bytes]:
    """How often each one-time prekey has started a session."""
    counted: Counter[bytes] = Counter()
    delete = prekeys.delete

    def count(database: Database, prekey_id: bytes) -> None:
        counted[prekey_id] += 1
        delete(database, prekey_id)

    monkeypatch.setattr(prekeys, "delete", count)
    return counted


def stock(world: WorldOnDisk, device: WorldDevice) -> set[bytes]:
    """Return the one-time prekeys that the relay would hand out."""
    address = DeviceAddress(device.own.account_id, device.own.device)
    rows = world.query("SELECT account_id, device, prekey_id FROM one_time_prekeys")
    return {prekey_id for *of, prekey_id in rows if DeviceAddress(*of) == address}


def put_back_with_used_prekeys(
    world: WorldOnDisk, accepted: Counter[bytes], *, stays: bool
) -> set[bytes]:
    """Let a relay forget that two prekeys of Alice were handed out; return the two."""
    alice, *others = [world.register(name) for name in ("alice", "bob", "carol", "dave", "erin")]
    world.copy_relay()
    for one in others[:2]:
        one.send("alice", "from bob or carol")
    if not stays:
        alice.connect()  # a login that the relay will forget
    used = set(accepted)
    assert len(used) == 2
    world.put_relay_back()
    assert used < stock(world, alice)
    return used


@pytest.mark.parametrize("stays", [True, False])
def test_no_prekey_is_accepted_twice(
    world: WorldOnDisk, accepted: Counter[bytes], *, stays: bool
) -> None:
    """Used pairs are in stock again until Alice connects; she opens none twice and replaces all.

    She notices it whether or not the relay has forgotten one of her logins.
    """
    used = put_back_with_used_prekeys(world, accepted, stays=stays)
    alice, _, _, dave, erin = world.devices
    dave.connect()
    dave.send("alice", "from dave, with a pair that is used")
    alice.connect()
    assert not used & stock(world, alice)
    assert len(stock(world, alice)) == ONE_TIME_PREKEYS
    erin.connect()
    erin.send("alice", "from erin")
    assert alice.texts()[-1] == "from erin"
    assert set(accepted.values()) == {1}


def test_twin_a_stock_that_nobody_counts_keeps_used_prekeys(
    world: WorldOnDisk, accepted: Counter[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: where the relay forgot no login, used pairs go on being handed out."""
    used = put_back_with_used_prekeys(world, accepted, stays=True)
    monkeypatch.setattr(prekeys, "count_one_time", lambda _: ONE_TIME_PREKEYS)
    alice = world.devices[0]
    alice.connect()
    assert used < stock(world, alice)


def forget_messages(world: WorldOnDisk) -> None:
    """Let a relay forget messages for Alice's devices, the first ones of Carol among them."""
    alice, bob, carol = [world.register(name) for name in ("alice", "bob", "carol")]
    laptop = world.link(alice, "alice's laptop")
    bob.send("alice", "before")
    for device in (alice, laptop):
        device.disconnect()
    world.copy_relay()
    for number in range(4):
        bob.send("alice", f"forgotten {number}")
    for number in range(3):
        carol.send("alice", f"forgotten too {number}")
    world.put_relay_back()
    for device in world.devices:
        device.connect()
    bob.send("alice", "after")
    carol.send("alice", "after")
    laptop.send("bob", "after")
    world.pass_time(MISSING_TOLD_MS)


def missing(device: WorldDevice) -> dict[AccountId | None, object]:
    """Return how many messages a device misses of whom."""
    posted = device.happened(events.NoticePosted)
    return {
        one.account_id: one.details["count"] for one in posted if one.code == "messages-missing"
    }


def test_every_lost_message_is_named_by_a_gap(world: WorldOnDisk) -> None:
    """Each device tells how many it misses of whom, as soon as more comes.

    A companion can't know whether it was meant to get what somebody wrote before the first
    message that it hears of them.
    """
    forget_messages(world)
    alice, bob, carol, laptop = world.devices
    assert len(lost_texts(bob, alice)) == 4
    assert len(lost_texts(carol, alice)) == 3
    assert missing(alice) == {bob.own.account_id: 4, carol.own.account_id: 3}
    assert missing(laptop) == {bob.own.account_id: 4}
    assert missing(bob) == missing(carol) == {}


def test_twin_without_counters_nobody_misses_anything(
    world: WorldOnDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: seven messages are gone without a word."""
    monkeypatch.setattr(gaps, "heard", lambda *_: None)
    forget_messages(world)
    alice, bob, carol, _ = world.devices
    assert len(lost_texts(bob, alice)) + len(lost_texts(carol, alice)) == 7
    assert missing(alice) == {}
