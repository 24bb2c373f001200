"""How long a device list is believed (spec 02, "Lease").

A relay that withholds a log-out can do so only until the lease of the last list it showed
ends. Judged by the verifier's own clock, closed when in doubt.
"""

from __future__ import annotations

from enum import Enum

from untether.base.identifiers import UnixMillis
from untether.base.limits import LEASE_GRACE_MS, LEASE_MAX_MS
from untether.protocol.identity.device_list import DeviceList


class LeaseState(Enum):
    """What a peer may still assume about an account's companions."""

    RUNNING = "running"
    """All listed devices are written to and believed."""
    GRACE = "grace"
    """Past the end, but within what clocks may differ: as RUNNING; ask for a newer list."""
    ENDED = "ended"
    """Only the phone is written to; companions' messages are held and marked."""
    LONG_ENDED = "long-ended"
    """No phone was seen for the longest lease: everything is held and the user is asked."""


def lease_state(
    device_list: DeviceList, now: UnixMillis, ended_at: UnixMillis | None = None
) -> LeaseState:
    """Judge a list's lease at ``now``.

    ``ended_at`` is when gossip ended it early: a newer list was claimed and never served. That
    end has no grace, since the patience before it was one.
    """
    if now >= device_list.issued_at + LEASE_MAX_MS:
        return LeaseState.LONG_ENDED
    if ended_at is not None and now >= ended_at:
        return LeaseState.ENDED
    if device_list.ahead_ms(now):
        return LeaseState.ENDED  # this clock went back since: it can't tell, so it must not hope
    if now < device_list.expires_at:
        return LeaseState.RUNNING
    if now < device_list.expires_at + LEASE_GRACE_MS:
        return LeaseState.GRACE
    return LeaseState.ENDED
