"""What is undone within one input leaves nothing behind (spec 06)."""

from __future__ import annotations

import pytest
from tests.conversations.mishaps import query
from tests.world import World, WorldDevice

from untether.base.errors import RemoteError
from untether.device.context import Context
from untether.device.store import own_device


def test_an_undone_step_leaves_neither_rows_nor_effects() -> None:
    """What was decided before it stays; what it changed and wanted to say is gone."""
    world = World()
    alice = world.register("alice")
    with alice.database.transaction():
        context = Context(alice.database, world.now, world.randomness)
        counter = context.own.login_counter
        context.change_own(login_counter=counter + 1)
        context.notice("before", context.own.account_id)
        before = list(context.effects)
        with pytest.raises(RemoteError), context.undoable():
            context.change_own(login_counter=counter + 7)
            context.notice("inside", context.own.account_id)
            raise RemoteError("refused", "The step can't be done.")
        assert context.effects == before
        assert context.own.login_counter == counter + 1
        assert own_device.require(alice.database).login_counter == counter + 1
    assert _codes(alice) == ["before"]


def test_a_step_that_is_done_stays() -> None:
    """Twin: without an error everything is kept."""
    world = World()
    alice = world.register("alice")
    with alice.database.transaction():
        context = Context(alice.database, world.now, world.randomness)
        with context.undoable():
            context.notice("inside", context.own.account_id)
        assert len(context.effects) == 1
    assert _codes(alice) == ["inside"]


def _codes(device: WorldDevice) -> list[object]:
    return [code for (code,) in query(device, "SELECT code FROM notices")]
