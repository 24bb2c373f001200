"""Which answers are believed: of the asked device, to the very question, by all rules."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.conversations.damages import (
    A_MOMENT_MS,
    acquainted,
    asked_in_vain,
    push,
    reasons,
    recovered_texts,
    repairs_open,
    say,
    told,
)
from tests.conversations.forgeries import Forger
from tests.world import World, WorldDevice

from untether.base.identifiers import DAY_MS, AccountId, DeviceNumber, MessageId, UnixMillis
from untether.device import repair
from untether.device.senders import Sender
from untether.device.store.repairs import Repair
from untether.wire import codec
from untether.wire.content import (
    Content,
    DeviceNotice,
    RatchetTurn,
    RepairAnswer,
    RepairRefusal,
    RepairRequest,
    Text,
)
from untether.wire.records import Stamp
from untether.wire.server_frames import Entry


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


def answer_with(forger: Forger, original: Content) -> None:
    """Let a device answer with a content of its choice."""
    say(forger, forger.content(RepairAnswer(codec.encode(original))))


def test_an_answer_that_nobody_asked_for_is_refused(alice: WorldDevice, bob: WorldDevice) -> None:
    """Otherwise one device could be told what the others are not."""
    forger = Forger(alice, bob)
    answer_with(forger, forger.content(Text("for you alone")))
    assert "for you alone" not in bob.texts()
    assert [details["cause"] for details in told(bob, "message-not-readable")] == ["not-asked"]


def test_twin_that_takes_any_answer_believes_it(
    alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: the relay's comparison of device sets is gone round."""

    def take(_context: object, sender: Sender, answer: RepairAnswer) -> tuple[Repair, Content]:
        original = codec.decode(answer.content, Content, size_max=10_000)
        time = original.sent_at
        asked = Repair(
            1, sender.row, sender.account_id, sender.device, original.message_id, "", time, time, 1
        )
        return asked, original

    monkeypatch.setattr(repair, "asked_for", take)
    forger = Forger(alice, bob)
    answer_with(forger, forger.content(Text("for you alone")))
    assert "for you alone" in bob.texts()


def test_an_answer_counts_from_the_asked_device_only(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Alice's laptop can't answer for her phone, nor can Carol."""
    laptop = world.link(alice, "alice's laptop")
    laptop.send("bob", "I am new")
    bob.send("alice", "welcome")
    world.pass_time(A_MOMENT_MS)
    message_id = asked_in_vain(world, alice, bob)
    forger = Forger(laptop, bob)
    original = forger.content(Text("from the wrong device"))
    answer_with(forger, structs.replace(original, message_id=message_id))
    assert "from the wrong device" not in bob.texts()
    assert repairs_open(bob) == 1
    world.pass_time(DAY_MS)
    assert recovered_texts(bob) == ["one"]


def test_an_answer_under_another_id_is_refused(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """It repairs nothing, and what was asked for still comes."""
    asked_in_vain(world, alice, bob)
    forger = Forger(alice, bob)
    answer_with(forger, forger.content(Text("something else")))
    assert "something else" not in bob.texts()
    world.pass_time(DAY_MS)
    assert recovered_texts(bob) == ["one"]


BAD_ANSWERS = {
    "another conversation": lambda forger: forger.content(Text("x"), AccountId(b"\1" * 16)),
    "a kind that it may not say": lambda forger: forger.content(
        DeviceNotice(DeviceNumber(0), bytes(32), "mine", "phone", UnixMillis(1))
    ),
    "a repair": lambda forger: forger.content(RepairRequest((MessageId(bytes(16)),))),
    "nothing": lambda forger: forger.content(RatchetTurn()),
}


@pytest.mark.parametrize("bad", BAD_ANSWERS)
def test_an_answer_is_held_to_all_rules(
    world: World, alice: WorldDevice, bob: WorldDevice, bad: str
) -> None:
    """What the message itself may not say, the answer may not; the repair ends, and is told."""
    message_id = asked_in_vain(world, alice, bob)
    forger = Forger(alice, bob)
    answer_with(forger, structs.replace(BAD_ANSWERS[bad](forger), message_id=message_id))
    assert reasons(bob) == ["answer-refused"]
    assert repairs_open(bob) == 0
    assert recovered_texts(bob) == []
    alice.send("bob", "and now?")
    assert bob.texts()[-1] == "and now?"


def test_a_second_answer_changes_nothing(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Bob asked twice, and both answers come: one message, no complaint."""
    message_id = asked_in_vain(world, alice, bob)
    world.pass_time(DAY_MS)
    forger = Forger(alice, bob)
    answer_with(forger, structs.replace(forger.content(Text("changed")), message_id=message_id))
    assert recovered_texts(bob) == ["one"]
    assert "changed" not in bob.texts()
    assert reasons(bob) == []


def test_a_refusal_of_what_was_not_asked_ends_nothing(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Carol can't end the repair of what Alice wrote."""
    carol = world.register("carol")
    carol.send("bob", "hello")
    message_id = asked_in_vain(world, alice, bob)
    forger = Forger(carol, bob)
    say(forger, forger.content(RepairRefusal((message_id,))))
    assert repairs_open(bob) == 1


def test_nobody_can_name_this_device_as_the_sender(world: World, bob: WorldDevice) -> None:
    """What comes under the own name is given up at once, like any forgery."""
    own, message_id = bob.own, MessageId(bytes(16))
    push(bob, Entry(Stamp(0, 1), own.account_id, own.device, world.now, message_id, b"x", b"x"))
    assert reasons(bob) == [None]
    assert repairs_open(bob) == 0
