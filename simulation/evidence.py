"""The record of long runs: ``docs/evidence/simulation.md``, one row for each run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from simulation.faults import KINDS
from simulation.outcome import Outcome
from untether.base.identifiers import DAY_MS

FILE = Path(__file__).parent.parent / "docs" / "evidence" / "simulation.md"
INJECTED = ("stall", "reset", "late", "repeat", "partition", "crash", "relay-crash", "wake-lost",
            "offline", "put-back")  # fmt: skip
"""Events of the trace that are faults at work."""

_HEAD = """# Evidence: simulation

Each row is one run of `make simulate`: real cryptography, real SQL, unchanged engines. A zero
without its denominators says nothing, so they stand beside it. By the rule of three, no failure in
n seeds bounds the rate of failing seeds at 3/n with 95 % confidence.

A row stays as it was counted. A world that failed showed a defect of the product, which was mended
and stands in `simulation/regressions.txt` with its story, or a checker that took clocks of two
machines for one, or an end with a name for a loss; those were made more exact. Seeds drift with
each change, so a later row is not a repetition of an earlier one.

| date | seeds | messages | deliveries | virtual days | failed | faults at work | minutes |
|---|---|---|---|---|---|---|---|
"""


@dataclass
class Tally:
    """What a run adds up to."""

    seeds: int = 0
    messages: int = 0
    deliveries: int = 0
    virtual_ms: int = 0
    failed: list[Outcome] = field(default_factory=list)
    injected: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count one seed."""
        self.seeds += 1
        self.messages += outcome.written
        self.deliveries += outcome.delivered
        self.virtual_ms += outcome.virtual_ms
        self.injected.update({one: outcome.counts.get(one, 0) for one in INJECTED})
        self.kinds.update(outcome.faults.active())
        if outcome.failure:
            self.failed.append(outcome)

    @property
    def coverage(self) -> str:
        """How many kinds of fault were switched on in some seed."""
        return f"{sum(bool(self.kinds[kind]) for kind in KINDS)} of {len(KINDS)} kinds"


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
    """Add a row to the page, which is made when it is missing."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    if not FILE.exists():
        FILE.write_text(_HEAD, encoding="utf-8")
    with FILE.open("a", encoding="utf-8") as file:
        file.write(line)
