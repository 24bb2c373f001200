"""The table of ``docs/evidence/fuzzing.md``: all runs so far, added up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fuzz.runs import Run
from fuzz.targets import TARGETS

PAGE: Final = Path(__file__).parents[1] / "docs" / "evidence" / "fuzzing.md"
HEAD: Final = (
    "| target | kind | executions | seconds | edges | features | failures |\n"
    "|---|---|---:|---:|---:|---:|---:|\n"
)
_TABLE: Final = re.compile(re.escape(HEAD) + r"(?:\|.*\n)*")
_ROW: Final = re.compile(r"^\| ([a-z-]+) \| \w+ \| (.*) \|$", re.MULTILINE)


@dataclass
class Total:
    """One row: sums, and what the last run reached."""

    executions: int = 0
    seconds: int = 0
    edges: int = 0
    features: int = 0
    failures: int = 0

    def add(self, run: Run) -> None:
        """Count a run in."""
        self.executions += run.executions
        self.seconds += run.seconds
        self.edges, self.features = run.edges or self.edges, run.features or self.features
        self.failures += bool(run.failure)

    def row(self, name: str, kind: str) -> str:
        """Write the row."""
        cells = (self.executions, self.seconds, self.edges, self.features, self.failures)
        return f"| {name} | {kind} | {' | '.join(f'{cell:,}' for cell in cells)} |\n"


def write(new: Iterable[Run]) -> None:
    """Add runs to the table of the page."""
    page = PAGE.read_text()
    totals = {name: Total() for name in TARGETS} | _read(page)
    for run in new:
        totals[run.target].add(run)
    PAGE.write_text(_TABLE.sub(lambda _: HEAD + _rows(totals), page, count=1))


def _read(page: str) -> dict[str, Total]:
    return {
        name: Total(*(int(cell.replace(",", "")) for cell in cells.split(" | ")))
        for name, cells in _ROW.findall(page)
        if name in TARGETS
    }


def _rows(totals: dict[str, Total]) -> str:
    rows = [totals[name].row(name, target.kind) for name, target in TARGETS.items()]
    for kind in ("decoder", "open"):
        of_kind = [totals[name] for name, target in TARGETS.items() if target.kind == kind]
        total = Total(
            sum(one.executions for one in of_kind),
            sum(one.seconds for one in of_kind),
            failures=sum(one.failures for one in of_kind),
        )
        rows.append(
            f"| **all {kind}s** | | {total.executions:,} | {total.seconds:,} | | "
            f"| {total.failures:,} |\n"
        )
    return "".join(rows)
