"""A companion that was stolen and logged out, and a relay that helps the thief."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.attacks.lying_relay import say_mailboxes_are_full
from tests.conversations.forgeries import Forger
from tests.world import World, WorldDevice

from untether.base.identifiers import HOUR_MS
from untether.base.limits import REMOVED_DEVICE_MAIL_MS
from untether.device import senders
from untether.wire.content import Text


@pytest.fixture
def world() -> Iterator[World]:
    """Return a world whose relay never lets a mailbox drain."""
    world = World()
    with say_mailboxes_are_full(world):
        yield world


@pytest.fixture
def alice(world: World) -> WorldDevice:
    """Return Alice's phone."""
    return world.register("alice")


@pytest.fixture
def bob(world: World) -> WorldDevice:
    """Return Bob's phone."""
    return world.register("bob")


@pytest.fixture
def stolen(world: World, alice: WorldDevice, bob: WorldDevice) -> WorldDevice:
    """Return Alice's laptop: a thief has it, Alice has logged it out, and Bob knows."""
    laptop = world.link(alice, "laptop")
    bob.send("alice", "hello")
    laptop.send("bob", "from the laptop")
    laptop.disconnect()
    alice.log_out(laptop)
    bob.send("alice", "are you there?")
    return laptop


def thief_writes(stolen: WorldDevice, receiver: WorldDevice, other: WorldDevice) -> None:
    """Seal with what is on the stolen disk; the relay brings it."""
    forger = Forger(stolen, receiver)
    forger.say(forger.content(Text("send money"), other=other.own.account_id))


def test_mail_on_its_way_is_opened_and_told(
    world: World, alice: WorldDevice, bob: WorldDevice, stolen: WorldDevice
) -> None:
    """What a companion wrote before its log-out is not lost; people hear that it was logged out."""
    world.pass_time(REMOVED_DEVICE_MAIL_MS - HOUR_MS)
    thief_writes(stolen, bob, bob)
    thief_writes(stolen, alice, bob)
    assert (bob.texts()[-1], alice.texts()[-1]) == ("send money", "send money")
    assert bob.notices().count("removed-device-wrote") == 1
    assert alice.notices().count("removed-device-wrote") == 1


def test_a_stolen_companion_is_not_believed_for_ever(
    world: World, alice: WorldDevice, bob: WorldDevice, stolen: WorldDevice
) -> None:
    """Two days after the log-out is known neither contacts nor own devices open what it seals."""
    world.pass_time(REMOVED_DEVICE_MAIL_MS + HOUR_MS)
    thief_writes(stolen, bob, bob)
    thief_writes(stolen, alice, bob)
    assert "send money" not in bob.texts() + alice.texts()
    assert bob.notices()[-1] == alice.notices()[-1] == "message-lost"


def test_twin_without_the_bound_the_relay_keeps_the_thief_alive(
    world: World,
    alice: WorldDevice,
    bob: WorldDevice,
    stolen: WorldDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the relay's word alone, that more mail waits, a logged-out device goes on writing."""
    monkeypatch.setattr(senders, "REMOVED_DEVICE_MAIL_MS", 2**50)
    world.pass_time(30 * REMOVED_DEVICE_MAIL_MS)
    thief_writes(stolen, bob, bob)
    thief_writes(stolen, alice, bob)
    assert "send money" in bob.texts()
    assert "send money" in alice.texts()
