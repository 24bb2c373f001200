"""The world of a conversation, and two people who know each other."""

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
