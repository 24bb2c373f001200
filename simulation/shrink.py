"""From a failing seed to the smallest world that still fails the same way.

One kind of fault after the other is switched off, then companions, accounts and messages are
made fewer; what still fails with the same kind of failure is kept. Its ``command`` repeats it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from simulation.faults import Faults
from simulation.outcome import Outcome, run

TRIES_MAX = 100
"""A world of a thousand messages takes ten seconds or more."""


def shrink(failed: Outcome) -> Outcome:
    """Return the smallest failing outcome that was found."""
    smallest, tries = failed, TRIES_MAX
    waiting = _smaller(smallest)
    while tries and (smaller := next(waiting, None)):
        faults, messages = smaller
        tried = run(smallest.seed, messages, faults)
        tries -= 1
        if _kind(tried) == _kind(smallest):
            smallest = tried
            waiting = _smaller(smallest)
    return smallest


def _smaller(outcome: Outcome) -> Iterator[tuple[Faults, int]]:
    faults, messages = outcome.faults, outcome.messages
    if messages > 1:
        yield faults, messages // 2
    for kind in faults.active():
        yield faults.without(kind), messages
    if faults.nodes > 1:
        yield replace(faults, nodes=1), messages
    if faults.accounts > 2:
        yield replace(faults, accounts=2), messages
    if faults.companions:
        yield replace(faults, companions=faults.companions - 1), messages
    if messages > 3:
        yield faults, messages - 1


def _kind(outcome: Outcome) -> str:
    """Return what a failure is about, without names and numbers."""
    head = outcome.failure.split(";")[0]
    return ":".join(head.split(":")[:2]) if outcome.failure.startswith("Broken") else head[:24]
