"""Relay and devices are killed while they are busy: nothing lost, nothing twice, soon back.

``make crashes`` does it a hundred times.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.commands import command_line
from tests.commands.conftest import own_run
from tests.crashes import killing
from tests.crashes.killing import Killing

TWIN_ATTEMPTS_MAX = 6


@pytest.fixture(autouse=True)
def _own_run() -> Iterator[None]:
    """Every process of a test is gone at its end."""
    with own_run():
        yield


@pytest.mark.timeout(300)
def test_processes_that_are_killed_lose_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Every message that anybody has written is on every device once."""
    outcome = Killing(tmp_path).play(relay_kills=10, device_kills=4)
    record_property("figures", f"killed processes: {outcome}")
    assert outcome.written > 100
    assert (outcome.lost, outcome.doubled, outcome.notices) == (0, 0, [])
    assert outcome.recovery_s < 5


@pytest.mark.timeout(300)
def test_twin_a_relay_that_answers_before_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: a killed relay has lost what it had answered."""
    hasty = str(Path(__file__).with_name("hasty_relay.py"))
    monkeypatch.setattr(command_line, "COMMAND", (sys.executable, hasty))
    assert has_lost(tmp_path, relay_kills=3)


@pytest.mark.timeout(300)
def test_twin_a_device_that_acknowledges_before_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: a killed device has lost what it had acknowledged."""
    monkeypatch.setattr(killing, "CHATTER", Path(__file__).with_name("hasty_chatter.py"))
    assert has_lost(tmp_path, device_kills=4)


def has_lost(folder: Path, *, relay_kills: int = 0, device_kills: int = 0) -> bool:
    """Tell whether messages were lost; a kill must meet the right moment, so it may take some."""
    for attempt in range(TWIN_ATTEMPTS_MAX):
        place = folder / str(attempt)
        place.mkdir()
        if Killing(place, seed=attempt).play(relay_kills, device_kills).lost:
            return True
    return False
