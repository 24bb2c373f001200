"""What became of planted faults: a line for the terminal, and the page of evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.planted import catching, faults
from tests.planted.catching import Catch

PAGE = Path(__file__).parents[2] / "docs" / "evidence" / "planted-faults.md"
SAID_MAX = 110
"""So much of what a checker said is shown."""

TEXT = """\
# Planted faults

Each row is one rule of the product that was broken on purpose, and who noticed: a world of the
[simulation](../simulation.md), or a test. The same worlds and tests are silent without the fault.
`make planted` does it again; the faults stand in [tests/planted](../../tests/planted).

{day}: {caught} of {all} faults were caught, {worlds} of them by the simulation.

| fault | what is broken | caught by | which | what it said | seconds |
|---|---|---|---|---|---|
{rows}

The table holds only faults that somebody notices, so its sum is no rate of detection. Tried,
and left out:

- *no labels in signatures*: the test failed, but in its set-up and not by what it asserts;
- *seen ids forgotten* (`is_seen` never true): taken out before it was run to its end.

Twelve worlds did not notice mail delivered backwards, a forgotten resignation, used prekeys that
come back, seen marks that are not kept, skipped keys that are lost, stay or are unbounded; here
tests do. The last two, a replaced prekey that stays and a repeated start had no test that noticed
until one was written for them. `any-list-published` and `list-order-unchecked` are one change seen
from both sides; `cipher-without-authentication` is caught by the self-test, and
`start-repeated` and `seen-marks-forgotten` by constraints of the database, before the tests' own
assertions.
"""


class Row(NamedTuple):
    """What became of one fault; ``is_clean`` when the same is silent without it."""

    name: str
    catch: Catch
    is_clean: bool

    @property
    def is_good(self) -> bool:
        """Caught, and by nothing that complains anyway."""
        return bool(self.catch.by) and self.is_clean

    @property
    def text(self) -> str:
        """One line for the terminal."""
        if not self.is_clean:
            return f"{self.name:30} COMPLAINS WITHOUT THE FAULT"
        if not self.catch.by:
            return f"{self.name:30} NOT CAUGHT"
        return (
            f"{self.name:30} {_kind(self.name):10} {self.catch.by.rsplit('::', 1)[-1][:60]:60} "
            f"{self.catch.seconds:5.1f} s  {_short(self.catch.said)}"
        )

    @property
    def markdown(self) -> str:
        """One line of the page."""
        cells = (
            f"`{self.name}`",
            faults.BY_NAME[self.name].broken,
            _kind(self.name),
            f"`{self.catch.by.removeprefix('tests/')}`",
            f"`{_short(self.catch.said)}`",
            f"{self.catch.seconds:.1f}",
        )
        return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def examine(name: str) -> Row:
    """Plant one fault, see who catches it, and whether that is silent without it."""
    fault = faults.BY_NAME[name]
    caught = catching.catch(fault)
    return Row(name, caught, catching.is_clean(fault, caught))


def _kind(name: str) -> str:
    return "test" if faults.BY_NAME[name].test else "simulation"


def _short(said: str) -> str:
    line = next(iter(said.splitlines()), "").replace("`", "'")
    return line if len(line) <= SAID_MAX else line[: SAID_MAX - 1] + "…"


def page(rows: Sequence[Row]) -> str:
    """Write the page from the results of all faults."""
    worlds = sum(_kind(row.name) == "simulation" for row in rows)
    caught = sum(row.is_good for row in rows)
    return TEXT.format(
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        caught=caught,
        all=len(rows),
        worlds=worlds,
        rows="\n".join(row.markdown for row in rows),
    )
