"""The world of a conversation, and the devices of the people in it."""

from __future__ import annotations

import pytest
from tests.conversations.damages import acquainted
from tests.world import World, WorldDevice


@pytest.fixture
def world() -> World:
    """Return an empty world."""
    return World()


@pytest.fixture
def people(world: World) -> tuple[WorldDevice, WorldDevice]:
    """Return the phones of Alice and Bob, who have written to each other."""
    return acquainted(world)


@pytest.fixture
def alice(world: World) -> WorldDevice:
    """Return Alice's phone."""
    return world.register("alice")


@pytest.fixture
def bob(world: World, alice: WorldDevice) -> WorldDevice:
    """Return Bob's phone; nobody has written yet."""
    return world.register("bob")


@pytest.fixture
def laptop(world: World, alice: WorldDevice) -> WorldDevice:
    """Return Alice's laptop."""
    return world.link(alice, "alice's laptop")
