"""What becomes of a failing seed: it is made small, repeated by a command, and remembered."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from simulation.checkers import CHECKERS
from simulation.outcome import Outcome, faults_of, run
from simulation.shrink import shrink
from simulation.world import World

from simulation import __main__ as command_line
from simulation import regressions

SEED = next(seed for seed in range(1_000) if faults_of(seed).repeat and faults_of(seed).reset)


def complain_of_repeats(world: World) -> Iterator[str]:
    """Complain when any frame was repeated, as if no engine could bear that."""
    if world.trace.counts["repeat"]:
        yield "a frame was repeated"


@pytest.fixture
def failed(monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """Return what a seed says that fails by one kind of fault only."""
    monkeypatch.setitem(CHECKERS, "repeats", complain_of_repeats)
    return run(SEED, 20)


def test_what_has_nothing_to_do_with_a_failure_goes(failed: Outcome) -> None:
    """One kind of fault, two people with a phone each, and a message or two are left."""
    small = shrink(failed)
    assert small.failure == failed.failure == "BrokenPromiseError: repeats: a frame was repeated"
    assert small.faults.active() == ["repeat"]
    assert (small.faults.accounts, small.faults.companions, small.faults.nodes) == (2, 0, 1)
    assert small.messages < 5


def test_the_command_repeats_the_smaller_world(
    failed: Outcome, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the last line of its trace."""
    small = shrink(failed)
    program, *arguments = shlex.split(small.command.removeprefix("python -m "))
    assert program == "simulation"
    assert command_line.main(arguments) == 1
    assert small.digest in capsys.readouterr().out


def test_a_failure_is_remembered_once(
    failed: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all that it takes to play it again, until it is mended."""
    small = shrink(failed)
    monkeypatch.setattr(regressions, "FILE", tmp_path / "regressions.txt")
    regressions.FILE.touch()
    for _ in range(2):
        regressions.add(small)
    [remembered] = regressions.load()
    assert remembered.run().digest == small.digest
    monkeypatch.delitem(CHECKERS, "repeats")
    assert not remembered.run().failure
