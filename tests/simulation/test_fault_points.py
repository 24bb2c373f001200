"""Every fault that a seed may draw is at work in some world, and its trace says so."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from simulation.evidence import FAULT_POINTS, Tally
from simulation.faults import KINDS, POINTS, Faults
from simulation.outcome import run

STRONG: dict[str, dict[str, float]] = {
    "device_crash": {"device_crash": 0.2},
    "relay_crash": {"relay_crash": 0.4},
    "late": {"late": 1.0, "reset": 0.1},  # what comes late comes from a connection that has ended
    "weeks": {"weeks": 0.2},
    "log_out": {"log_out": 0.2},
    "cancel": {"cancel": 0.5},
    "refuse": {"refuse": 0.5},
    "skew": {"skew": 1.0},
}
"""So often what else happens too rarely within forty texts."""

RARELY = 0.1


def test_every_probability_is_a_kind_of_fault() -> None:
    """Each can be switched off, and nothing else."""
    probabilities = {one.name for one in fields(Faults) if one.default == 0.0}
    assert probabilities == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_strikes_where_it_should(kind: str) -> None:
    """Nothing else goes wrong, and the world still keeps every promise."""
    quiet = Faults(companions=1, nodes=2, prekeys=8)
    tally = Tally()
    chosen = STRONG.get(kind, {kind: RARELY})
    tally.add(run(5, 40, replace(quiet, **chosen)))  # type: ignore[arg-type]
    assert tally.failed == []
    struck = set(+tally.injected)
    assert struck >= set(POINTS[kind])
    assert struck <= {"link", *(point for one in chosen for point in POINTS[one])}


def test_a_row_of_evidence_counts_points() -> None:
    """A zero without what was struck says nothing."""
    tally = Tally()
    tally.add(run(5, 10, Faults(companions=0, repeat=0.5)))
    assert tally.coverage == f"1 of {len(FAULT_POINTS)} points"
