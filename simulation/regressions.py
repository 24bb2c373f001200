"""Seeds that once failed: replayed for ever (``regressions.txt``).

One line each: the seed, the number of messages, what shrinking changed (``-`` for nothing), and
what it showed. A change that shifts the draws makes such a seed another world; the unit test beside
each repair is what pins it.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from simulation.outcome import Outcome, faults_of, run

FILE = Path(__file__).with_name("regressions.txt")
NOTHING = "-"
STORY_MAX = 120


class Regression(NamedTuple):
    """One line of the file."""

    seed: int
    messages: int
    changes: tuple[str, ...]
    story: str

    def run(self) -> Outcome:
        """Play it again."""
        return run(self.seed, self.messages, faults_of(self.seed).changed(self.changes))


def load() -> list[Regression]:
    """Return all regressions."""
    found = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            seed, messages, changes, story = line.split(maxsplit=3)
            changed = () if changes == NOTHING else tuple(changes.split(","))
            found.append(Regression(int(seed), int(messages), changed, story))
    return found


def add(outcome: Outcome) -> None:
    """Append a failure, unless it is there; its story is to be told in words later."""
    changes = tuple(outcome.changes)
    if (outcome.seed, outcome.messages, changes) in [one[:3] for one in load()]:
        return
    story = outcome.failure.splitlines()[0][:STORY_MAX]
    with FILE.open("a", encoding="utf-8") as file:
        file.write(f"{outcome.seed} {outcome.messages} {','.join(changes) or NOTHING} {story}\n")
