"""A repair goes on after a crash at any step of either side, and with an upgraded database."""

from __future__ import annotations

import pytest
from tests.conversations.damages import (
    A_MOMENT_MS,
    acquainted,
    lose_sessions,
    messages_damaged,
    recovered_texts,
    repairs_open,
)
from tests.conversations.mishaps import query
from tests.conversations.older_databases import make_older
from tests.world import World, WorldDevice

from untether.base.limits import REPAIR_RETRY_MS
from untether.device.store.upgrade import bring_up_to_date, packaged_upgrades


def _comes_back(device: WorldDevice) -> bool:
    """Start a device again after its crash; False if it had too few inputs to crash."""
    if device.inputs_until_crash is not None:
        device.inputs_until_crash = None
        return False
    device.wake_times.clear()
    device.connect()
    return True


@pytest.mark.parametrize("lost", [True, False], ids=["sessions-lost", "damaged"])
@pytest.mark.parametrize("who", ["sender", "receiver"])
def test_a_crash_at_any_step_costs_nothing(who: str, lost: bool) -> None:
    """Two messages, sent again; each is shown once, whoever crashed and when."""
    for step in range(1, 100):
        world = World()
        alice, bob = acquainted(world)
        if lost:
            lose_sessions(bob, alice)
            alice.send("bob", "one")
        else:
            with messages_damaged(world, bob):
                alice.send("bob", "one")
        crashing = alice if who == "sender" else bob
        crashing.inputs_until_crash = step
        world.pass_time(A_MOMENT_MS)
        crashed = _comes_back(crashing)
        world.pass_time(2 * REPAIR_RETRY_MS)
        assert recovered_texts(bob) == ["one"]
        assert bob.texts().count("one") == 1
        assert repairs_open(bob) == 0
        assert query(alice, "SELECT DISTINCT code FROM notices") == [("message-sent-again",)]
        assert "possible-copy" not in [*alice.notices(), *bob.notices()]
        alice.send("bob", "and on")
        assert bob.texts()[-1] == "and on"
        if not crashed:
            assert step > 3
            return
    raise AssertionError("it never ends")


def test_a_database_from_before_takes_part_after_its_upgrade() -> None:
    """What was there stays; what is sent from then on can be sent again."""
    world = World()
    alice, bob = acquainted(world)
    earlier = alice.texts()
    for device in (alice, bob):
        device.disconnect()
        make_older(device, 7)
        bring_up_to_date(device.database, packaged_upgrades())
        device.connect()
    assert alice.texts() == earlier
    assert recovered_texts(alice) == []
    lose_sessions(bob, alice)
    alice.send("bob", "one")
    world.pass_time(A_MOMENT_MS)
    assert recovered_texts(bob) == ["one"]
    assert query(bob, "SELECT count(*) FROM parked") == [(0,)]
