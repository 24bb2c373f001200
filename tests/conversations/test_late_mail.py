"""Message keys of mail that comes late: kept until it comes, no longer, and not too many."""

from __future__ import annotations

import pytest
from tests.attacks.lying_relay import push, take_mail
from tests.conversations.mishaps import query
from tests.world import World, WorldDevice

from untether.base.limits import SKIPPED_KEYS_MAX
from untether.device.store import sessions
from untether.protocol.pairwise.ratchet import SkippedRun

KEPT = "SELECT count(*) FROM skipped_keys WHERE key <> x''"
MESSAGES = 5


@pytest.fixture
def world() -> World:
    """Alice and Bob, who have talked both ways."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    alice.send("bob", "hello")
    bob.send("alice", "hello")
    return world


def kept(device: WorldDevice) -> int:
    """Count the message keys that a device keeps for mail on its way."""
    ((count,),) = query(device, KEPT)
    return int(count)  # type: ignore[call-overload, no-any-return]


def test_the_key_of_a_late_message_goes_with_it(world: World) -> None:
    """The last message comes first: the keys of the others wait, and each one goes when used."""
    alice, bob = world.devices
    with take_mail(world, bob) as taken:
        for number in range(MESSAGES):
            alice.send_to(bob.own.account_id, f"message {number}")
            world.pass_time(1)
    before = kept(bob)
    push(bob, taken[-1])
    assert kept(bob) == before + MESSAGES - 1
    push(bob, *taken[:-1])
    assert kept(bob) == before
    assert bob.texts()[-MESSAGES:] == [f"message {number}" for number in range(MESSAGES)]


def test_keys_of_late_messages_are_bounded(world: World) -> None:
    """A session keeps the newest of them; of the others it knows that they have been there."""
    _, bob = world.devices
    ((session_id,),) = query(bob, "SELECT id FROM sessions LIMIT 1")
    assert isinstance(session_id, bytes)
    keys = tuple(number.to_bytes(32, "big") for number in range(1, SKIPPED_KEYS_MAX + 6))
    with bob.database.transaction():
        run = SkippedRun(b"r" * 32, 1, keys)
        sessions.add_skipped(bob.database, session_id, run, world.now)
    assert kept(bob) == SKIPPED_KEYS_MAX
    with bob.database.transaction():
        found = [
            sessions.find_skipped(bob.database, session_id, b"r" * 32, number)
            for number in (1, 5, 6, SKIPPED_KEYS_MAX + 5)
        ]
    assert found == [b"", b"", keys[5], keys[-1]]
