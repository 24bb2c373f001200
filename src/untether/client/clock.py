"""The one place where the client reads a clock."""

from __future__ import annotations

import time

from untether.base.identifiers import UnixMillis


def wall_clock() -> UnixMillis:
    """Return the time of this machine (ms since 1970, UTC)."""
    return UnixMillis(time.time_ns() // 1_000_000)
