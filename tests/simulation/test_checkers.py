"""Every checker of the simulation complains of what it is there for, and of nothing else.

A world comes to rest with nothing wrong in it. Then one promise is broken behind the back of the
engines, and the checker of that promise must say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import pytest
from simulation.checkers import CHECKERS, ON_THE_WAY, complaints
from simulation.disk import Disk
from simulation.faults import QUIET, Faults
from simulation.people import People
from simulation.world import LOOK_EVERY, BrokenPromiseError, SilentError, World
from tests.simulation.broken_promises import BROKEN, Way

from simulation import world as world_module
from untether.base.identifiers import HOUR_MS

BUSY = Faults(companions=2, prekeys=8, link=0.2, log_out=0.2)
"""Companions come and go, and nothing fails."""

WAYS = [(promise, way) for promise, ways in BROKEN.items() for way in ways]


@pytest.fixture(scope="module")
def at_rest() -> World:
    """Return a world at rest in which a companion was logged out."""
    made = World(3, BUSY, 40)
    made.run()
    return made


@pytest.fixture
def world(at_rest: World) -> Iterator[World]:
    """Return that world, and put everything back afterwards."""
    images = [device.database.image() for device in at_rest.devices]
    rows = {partition: dict(found) for partition, found in at_rest.store.partitions.items()}
    watch = deepcopy(at_rest.watch)
    yield at_rest
    for device, image in zip(at_rest.devices, images, strict=True):
        device.database = Disk.from_image(image)
    at_rest.store.partitions = dict(rows)
    at_rest.watch = watch


def test_every_promise_can_be_broken() -> None:
    """No checker is there whose complaint nobody has ever seen."""
    assert BROKEN.keys() == CHECKERS.keys()


@pytest.mark.parametrize(("promise", "way"), WAYS, ids=[way.__name__ for _, way in WAYS])
def test_a_broken_promise_is_told(world: World, promise: str, way: Way) -> None:
    """Nothing is said before, and the right thing after."""
    assert complaints(world) == []
    told = way(world)
    said = list(CHECKERS[promise](world))
    assert any(told in one for one in said), said


def test_full_mailboxes_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """What must hold at any moment is checked on the way, where there is something to see."""
    waiting: list[int] = []

    def count(world: World) -> list[str]:
        rows = [len(rows) for kind, rows in world.store.partitions.items() if kind[0] == "entries"]
        waiting.append(sum(rows))
        return []

    monkeypatch.setitem(ON_THE_WAY, "counted", count)
    World(3, replace(BUSY, offline=0.3), 40).run()
    assert len(waiting) >= 40 // LOOK_EVERY
    assert max(waiting) > 0


def test_a_promise_that_is_broken_on_the_way_ends_the_world(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when all would be well at rest."""
    monkeypatch.setitem(ON_THE_WAY, "asked", lambda world: ["no"] if world.people.written else [])
    with pytest.raises(BrokenPromiseError, match="asked: no"):
        World(3, QUIET, 20).run()


def test_a_silent_world_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """People who could not write all that they should are a failure, and no quiet success."""
    monkeypatch.setattr(world_module, "SAFETY_MAX_MS", HOUR_MS)
    monkeypatch.setattr(People, "_write", lambda *_: None)
    with pytest.raises(SilentError, match="0 of 20 texts"):
        World(3, QUIET, 20).run()
