"""The order in which devices show messages."""

from __future__ import annotations

from tests.world import World

from untether.device import inputs
from untether.wire.client_frames import ResolveName


def test_what_was_accepted_at_one_moment_has_one_order_everywhere() -> None:
    """Both people write their first message, from devices of one number, at the same moment."""
    for seed in range(1, 5):
        world = World(seed)
        alice, bob = world.register("alice"), world.register("bob")
        laptop = world.link(bob, "bob's laptop")
        bob.ask(ResolveName("alice"))
        bob.disconnect()
        bob.feed(inputs.SendText(alice.own.account_id, "bob's"))
        alice.send("bob", "alice's")
        bob.connect()
        places = [(one.accepted_at, one.author_device, one.counter) for one in bob.history()]
        assert places == [(world.now, 0, 1)] * 2
        assert alice.texts() == laptop.texts() == bob.texts()
