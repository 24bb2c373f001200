"""Planted faults: each one changes the product and leaves no trace, and some are caught here.

``make planted`` plants all of them.
"""

from __future__ import annotations

import pytest
from tests.planted import catching, faults
from tests.planted.fault import Fault

QUICK = (
    "mailbox-kept",
    "bodies-kept",
    "acknowledged-too-much",
    "entry-number-returns",
    "log-out-leaves-mail",
    "one-time-prekey-kept",
    "message-key-used-twice",
)
"""Caught by one of the first worlds; these take about a second each."""


def test_every_fault_has_its_own_name() -> None:
    """A fault is found by its name, and there are enough of them to mean something."""
    assert len(faults.BY_NAME) == len(faults.ALL) >= 30


@pytest.mark.parametrize("fault", faults.ALL, ids=lambda fault: fault.name)
def test_a_fault_changes_something_and_ends(fault: Fault) -> None:
    """What is put in another's place is something else, and afterwards nothing of it is left."""
    before = [getattr(owner, name) for owner, name, _ in fault.rule.places]
    with fault.planted():
        during = [getattr(owner, name) for owner, name, _ in fault.rule.places]
    after = [getattr(owner, name) for owner, name, _ in fault.rule.places]
    assert before
    assert all(a is not b for a, b in zip(before, during, strict=True))
    assert all(a is b for a, b in zip(before, after, strict=True))


def test_a_sound_product_is_not_complained_about() -> None:
    """The worlds that look for faults find none when there is none."""
    assert catching.first_complaint(range(2)) is None


@pytest.mark.parametrize("name", QUICK)
def test_the_simulation_catches(name: str) -> None:
    """A broken rule breaks a promise that the simulation checks."""
    assert catching.catch(faults.BY_NAME[name]).by
