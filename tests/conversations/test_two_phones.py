"""Alice and Bob with a phone each, over the relay in memory; both ends are checked."""

from __future__ import annotations

from tests.world import World

from untether.base.limits import RECEIPT_JITTER_MS


def test_a_message_arrives_and_a_receipt_comes_back() -> None:
    """What Alice writes is shown to Bob once; she sees "sent", then "delivered"."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    message = alice.send("bob", "hello bob")
    assert message.state == "sent"
    assert bob.texts() == ["hello bob"]
    assert world.mailbox_is_empty(bob)

    bob.send("alice", "hello alice")
    assert alice.texts() == ["hello bob", "hello alice"]
    world.pass_time(3 * RECEIPT_JITTER_MS)
    assert [message.state for message in bob.history() if message.outgoing] == ["delivered"]
