"""How long a list is believed (spec 02, "Lease")."""

from __future__ import annotations

import pytest
from tests.unit.identity.identity_people import NOW, Person

from untether.base.identifiers import DAY_MS, HOUR_MS, UnixMillis
from untether.protocol.identity.lease import LeaseState, lease_state

THIRTY_DAYS = Person("alice").newest


@pytest.mark.parametrize(
    ("after_ms", "state"),
    [
        (-24 * HOUR_MS - 1, LeaseState.ENDED),
        (-24 * HOUR_MS, LeaseState.RUNNING),
        (30 * DAY_MS - 1, LeaseState.RUNNING),
        (30 * DAY_MS, LeaseState.GRACE),
        (31 * DAY_MS - 1, LeaseState.GRACE),
        (31 * DAY_MS, LeaseState.ENDED),
        (180 * DAY_MS - 1, LeaseState.ENDED),
        (180 * DAY_MS, LeaseState.LONG_ENDED),
    ],
)
def test_a_lease_runs_ends_and_is_long_ended(after_ms: int, state: LeaseState) -> None:
    """Thirty days, a day of grace, then closed; closed too when the own clock went back."""
    assert lease_state(THIRTY_DAYS, UnixMillis(NOW + after_ms)) is state


@pytest.mark.parametrize(
    ("after_ms", "state"),
    [
        (5 * DAY_MS - 1, LeaseState.RUNNING),
        (5 * DAY_MS, LeaseState.ENDED),
        (30 * DAY_MS, LeaseState.ENDED),
        (180 * DAY_MS, LeaseState.LONG_ENDED),
    ],
)
def test_gossip_ends_a_lease_without_grace(after_ms: int, state: LeaseState) -> None:
    """A claimed and never served list ends the lease at that moment."""
    ended_at = UnixMillis(NOW + 5 * DAY_MS)
    assert lease_state(THIRTY_DAYS, UnixMillis(NOW + after_ms), ended_at) is state
