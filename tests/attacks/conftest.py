"""The people of the attacks: Alice and Bob, who have talked to each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.world import World, WorldDevice


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Return how a test tells what its zero was out of."""
    return lambda text: record_property("figures", f"attacks: {text}")


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
