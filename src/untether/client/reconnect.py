"""When to try again after a lost connection: a jittered, bounded schedule (spec 06, "Driver").

The first try comes at once, since most losses are a moment's; then the wait doubles up to a
bound. The jitter keeps a restarted relay from being met by all its devices in one second.
"""

from __future__ import annotations

from untether.base.limits import RECONNECT_FIRST_MS, RECONNECT_MAX_MS
from untether.base.randomness import Randomness


def reconnect_delay_ms(failures: int, randomness: Randomness) -> int:
    """Return how long to wait (ms) after ``failures`` failed tries in a row.

    Zero without a failure; otherwise uniform between half the bound and the bound, which is
    ``RECONNECT_FIRST_MS`` doubled per failure and at most ``RECONNECT_MAX_MS``.
    """
    if failures <= 0:
        return 0
    doublings = min(failures - 1, RECONNECT_MAX_MS.bit_length())
    bound = min(RECONNECT_MAX_MS, RECONNECT_FIRST_MS << doublings)
    spread = bound // 2
    return bound - spread + int.from_bytes(randomness(4), "big") * (spread + 1) // 2**32
