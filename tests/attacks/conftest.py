"""The people of the attacks: Alice and Bob, who have talked to each other."""

from __future__ import annotations

import pytest
from tests.world import World, WorldDevice


@pytest.fixture
def world() -> World:
    """Return an empty world."""
    return World()


@pytest.fixture
def alice(world: World) -> WorldDevice:
    """Return Alice's phone."""
    return world.register("alice")


@pytest.fixture
def bob(world: World, alice: WorldDevice) -> WorldDevice:
    """Return Bob's phone; he and Alice have written to each other."""
    phone = world.register("bob")
    phone.send("alice", "hello Alice")
    alice.send("bob", "hello Bob")
    world.pass_time(10_000)
    return phone
