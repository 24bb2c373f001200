"""Delivery receipts: who gets them, and who does not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tests.world import World, WorldDevice

from untether.base.limits import RECEIPT_BATCH_MAX, RECEIPT_JITTER_MS
from untether.device import outgoing
from untether.device.context import Context
from untether.wire.content import DeliveryReceipt


def states(device: WorldDevice) -> list[str]:
    """Return the states of the messages that were written on a device."""
    return [message.state for message in device.history() if message.outgoing]


def test_a_stranger_gets_no_receipt_however_long_they_wait() -> None:
    """Bob has never written to Alice: she must not learn when he is online."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    alice.send("bob", "are you there?")
    world.pass_time(100 * RECEIPT_JITTER_MS)
    assert bob.texts() == ["are you there?"]
    assert states(alice) == ["sent"]


def test_twin_without_the_rule_a_stranger_would_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every sender taken for a contact the receipt leaves: so the rule held it."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    everybody = SimpleNamespace(by_account=lambda *_: True)
    monkeypatch.setattr("untether.device.receipts.contacts", everybody)
    alice.send("bob", "are you there?")
    world.pass_time(3 * RECEIPT_JITTER_MS)
    assert bob.texts() == ["are you there?"]
    assert states(alice) == ["delivered"]


def test_one_receipt_per_account_and_all_own_devices_stay_silent_after_it() -> None:
    """Of Bob's three devices one answers; Alice's two devices both learn of it."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    world.link(alice, "alice's laptop")
    companions = [world.link(bob, "bob's laptop"), world.link(bob, "bob's tablet")]
    bob.send("alice", "hello")
    for companion in companions:
        companion.send("alice", "me too")
    world.pass_time(5 * RECEIPT_JITTER_MS)
    before = len(world.relay.frames)
    alice.send("bob", "hello all of you")
    world.pass_time(5 * RECEIPT_JITTER_MS)
    assert states(alice) == ["delivered"]
    for device in (bob, *companions):
        with device.database.transaction():
            assert device.database.rows("SELECT * FROM receipts_due") == []
    assert len(world.relay.frames) > before


def test_receipts_count_only_for_messages_that_went_to_their_sender() -> None:
    """Mallory can't mark what Alice wrote to Bob as delivered."""
    world = World()
    alice, bob, mallory = (world.register(name) for name in ("alice", "bob", "mallory"))
    bob.disconnect()
    message = alice.send("bob", "only for bob")
    mallory.send("alice", "hello")
    _control(mallory, alice, DeliveryReceipt((message.message_id,)))
    assert states(alice) == ["sent"]


def test_a_receipt_that_comes_twice_says_nothing_new() -> None:
    """Delivered stays delivered."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    bob.send("alice", "hi")
    message = alice.send("bob", "hello")
    world.pass_time(3 * RECEIPT_JITTER_MS)
    _control(bob, alice, DeliveryReceipt((message.message_id,)))
    assert states(alice) == ["delivered"]


def test_many_messages_share_a_few_receipts() -> None:
    """A device that catches up answers in batches."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    bob.send("alice", "hi")
    bob.disconnect()
    for number in range(RECEIPT_BATCH_MAX + 3):
        alice.send_to(bob.own.account_id, f"message {number}")
    bob.connect()
    world.pass_time(3 * RECEIPT_JITTER_MS)
    assert set(states(alice)) == {"delivered"}


def _control(sender: WorldDevice, to: WorldDevice, kind: DeliveryReceipt) -> None:
    """Let a device send any control message."""
    world = sender.world
    with sender.database.transaction():
        context = Context(sender.database, world.now, world.randomness)
        outgoing.send_control(context, to.own.account_id, kind)
    for effect in context.effects:
        sender._carry_out(effect)
    world.settle()
