"""The record of long runs: ``docs/evidence/simulation.md``, one row for each run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from simulation.faults import POINTS
from simulation.outcome import Outcome
from untether.base.identifiers import DAY_MS

FILE = Path(__file__).parent.parent / "docs" / "evidence" / "simulation.md"
FAULT_POINTS = tuple(point for points in POINTS.values() for point in points)
"""Events of the trace that are faults at work."""


@dataclass
class Tally:
    """What a run adds up to."""

    seeds: int = 0
    messages: int = 0
    deliveries: int = 0
    virtual_ms: int = 0
    failed: list[Outcome] = field(default_factory=list)
    injected: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count one seed."""
        self.seeds += 1
        self.messages += outcome.written
        self.deliveries += outcome.delivered
        self.virtual_ms += outcome.virtual_ms
        self.injected.update({one: outcome.counts.get(one, 0) for one in FAULT_POINTS})
        if outcome.failure:
            self.failed.append(outcome)

    @property
    def coverage(self) -> str:
        """How many of the points where a fault can strike were struck in some seed."""
        return f"{len(+self.injected)} of {len(FAULT_POINTS)} points"


def row(tally: Tally, first: int, date: str, minutes: float) -> str:
    """Return the row of one run."""
    faults = ", ".join(f"{name} {count:,}" for name, count in sorted(tally.injected.items()))
    cells: Iterable[object] = (
        date,
        f"{first}–{first + tally.seeds - 1} ({tally.seeds:,})",
        f"{tally.messages:,}",
        f"{tally.deliveries:,}",
        f"{tally.virtual_ms // DAY_MS:,}",
        len(tally.failed),
        f"{tally.coverage}: {faults}",
        f"{minutes:.1f}",
    )
    return "| " + " | ".join(str(cell) for cell in cells) + " |\n"


def append(line: str) -> None:
    """Add a row to the page, whose last lines are the table."""
    with FILE.open("a", encoding="utf-8") as file:
        file.write(line)
