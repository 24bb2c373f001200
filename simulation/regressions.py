"""Seeds that once failed: replayed for ever (``regressions.txt``).

One line each: the seed, the number of messages, and what it showed. A change that shifts the
draws makes such a seed another world; the unit test beside each repair is what pins it.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("regressions.txt")


class Regression(NamedTuple):
    """One line of the file."""

    seed: int
    messages: int
    story: str


def load() -> list[Regression]:
    """Return all regressions."""
    found = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            seed, messages, story = line.split(maxsplit=2)
            found.append(Regression(int(seed), int(messages), story))
    return found


def add(seed: int, messages: int, story: str) -> None:
    """Append a seed, unless it is there."""
    if any((one.seed, one.messages) == (seed, messages) for one in load()):
        return
    with FILE.open("a", encoding="utf-8") as file:
        file.write(f"{seed} {messages} {story}\n")
