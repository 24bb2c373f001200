"""Who gets a message again: only for whom it was sealed, and who may still be written to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.conversations.damages import (
    A_MOMENT_MS,
    acquainted,
    asked_in_vain,
    kinds_sent,
    reasons,
    repairs_open,
    say,
    told,
)
from tests.conversations.forgeries import Forger
from tests.conversations.mishaps import copy_database, put_back, query
from tests.world import World, WorldDevice

from untether.base.identifiers import DAY_MS, HOUR_MS, MessageId, UnixMillis
from untether.base.limits import LEASE_DEFAULT_MS, LEASE_GRACE_MS
from untether.device import inputs, repair_answers, senders
from untether.device.store import sent
from untether.wire.content import RepairAnswer, RepairRefusal, RepairRequest


@pytest.fixture
def world() -> World:
    """Return an empty world."""
    return World()


@pytest.fixture
def alice(world: World, bob: WorldDevice) -> WorldDevice:
    """Return Alice's phone."""
    return world.devices[0]


@pytest.fixture
def bob(world: World) -> WorldDevice:
    """Return Bob's phone; he and Alice have written to each other."""
    return acquainted(world)[1]


def ask_as(asker: WorldDevice, sender: WorldDevice, message_id: MessageId) -> None:
    """Let a device ask for any message."""
    forger = Forger(asker, sender)
    say(forger, forger.content(RepairRequest((message_id,))))
    sender.world.pass_time(A_MOMENT_MS)


@pytest.fixture
def linked_later(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> tuple[WorldDevice, MessageId]:
    """Return Bob's laptop, and a message that Alice wrote before it was linked."""
    message = alice.send("bob", "before the laptop")
    laptop = world.link(bob, "bob's laptop")
    laptop.send("alice", "I am new")
    alice.send("bob", "welcome")
    world.pass_time(A_MOMENT_MS)
    return laptop, message.message_id


def test_a_device_that_was_linked_later_gets_nothing(
    alice: WorldDevice,
    linked_later: tuple[WorldDevice, MessageId],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It hears just what it would hear of a message that never was."""
    laptop, message_id = linked_later
    said = kinds_sent(alice, monkeypatch)
    for wanted in (message_id, MessageId(bytes(16))):
        ask_as(laptop, alice, wanted)
        assert said.pop() == (laptop.own.device, RepairRefusal((wanted,)))
        assert said == []
    assert told(alice, "message-sent-again") == []


def test_twin_that_asks_nobody_s_entitlement_tells_everything(
    alice: WorldDevice,
    linked_later: tuple[WorldDevice, MessageId],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Switched off: whoever knows an id gets the text."""
    laptop, message_id = linked_later
    monkeypatch.setattr(
        repair_answers, "entitled", lambda context, _, wanted: sent.find(context.database, wanted)
    )
    said = kinds_sent(alice, monkeypatch)
    ask_as(laptop, alice, message_id)
    [(_, answer)] = said
    assert isinstance(answer, RepairAnswer)
    assert b"before the laptop" in answer.content


def test_somebody_else_s_message_is_not_for_me(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Carol knows the id of what Alice wrote to Bob."""
    carol = world.register("carol")
    carol.send("alice", "hello")
    alice.send("carol", "hello")
    message = alice.send("bob", "a secret")
    said = kinds_sent(alice, monkeypatch)
    ask_as(carol, alice, message.message_id)
    assert said == [(0, RepairRefusal((message.message_id,)))]


def _log_out(_world: World, bob: WorldDevice, laptop: WorldDevice) -> None:
    bob.log_out(laptop)


def _resign(world: World, _bob: WorldDevice, laptop: WorldDevice) -> None:
    laptop.disconnect()
    original = copy_database(laptop)
    laptop.connect()
    laptop.feed(inputs.Resign())
    world.settle()
    put_back(laptop, original)


def _let_the_lease_end(world: World, bob: WorldDevice, _laptop: WorldDevice) -> None:
    bob.disconnect()
    world.pass_time(LEASE_DEFAULT_MS + LEASE_GRACE_MS + DAY_MS)


@pytest.mark.parametrize("befalls", [_log_out, _resign, _let_the_lease_end])
def test_a_device_that_may_not_be_written_to_hears_nothing(
    world: World,
    alice: WorldDevice,
    bob: WorldDevice,
    befalls: Callable[[World, WorldDevice, WorldDevice], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was in the set when the message was sent, and is no more what it was."""
    laptop = world.link(bob, "bob's laptop")
    laptop.send("alice", "I am new")
    message = alice.send("bob", "to both")
    laptop.disconnect()
    thief = copy_database(laptop)
    befalls(world, bob, laptop)
    put_back(laptop, thief)
    alice.connect()
    alice.send("bob", "hello?")
    said = kinds_sent(alice, monkeypatch)
    ask_as(laptop, alice, message.message_id)
    assert said == []


def test_twin_that_answers_everybody_answers_the_thief(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: mail on its way of a device that was logged out is answered."""
    laptop = world.link(bob, "bob's laptop")
    laptop.send("alice", "I am new")
    message = alice.send("bob", "to both")
    world.pass_time(A_MOMENT_MS)
    alice.disconnect()
    thief = copy_database(laptop)
    bob.log_out(laptop)
    put_back(laptop, thief)
    alice.connect(receiving=False)
    monkeypatch.setattr(repair_answers, "may_be_answered", lambda *_: True)
    said = kinds_sent(alice, monkeypatch)
    ask_as(laptop, alice, message.message_id)
    assert [type(kind) for _, kind in said] == [RepairAnswer]


def test_strangers_hear_nothing(
    world: World, alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an answer nor a refusal tells whether Alice is there."""
    carol = world.register("carol")
    carol.send("alice", "hello")
    world.pass_time(A_MOMENT_MS)
    said = kinds_sent(alice, monkeypatch)
    ask_as(carol, alice, MessageId(bytes(16)))
    assert said == []
    monkeypatch.setattr(senders, "is_known", lambda *_: True)  # the twin
    ask_as(carol, alice, MessageId(bytes(16)))
    assert len(said) == 1


def test_too_old_is_as_good_as_unknown(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent is forgotten some time, and Bob sees that it can't come any more."""
    message_id = asked_in_vain(world, alice, bob)
    with alice.database.transaction():
        sent.forget(alice.database, UnixMillis(world.now + 1))
    world.pass_time(HOUR_MS)
    assert reasons(bob) == ["not-kept"]
    assert repairs_open(bob) == 0
    assert query(bob, "SELECT message_id, cause FROM parked") == [(message_id, "bad-message")]
