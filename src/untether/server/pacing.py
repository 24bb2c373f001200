"""How fast a connection is read (spec 08, "Limits").

A burst is read at once. Behind it the relay rests, so that a peer that asks faster is held up by
its own full socket: it is not refused, and costs others nothing. Acknowledgements have a rate of
their own, since whoever asks much must still get mail.
"""

from __future__ import annotations

from collections.abc import Sequence

from untether.base.limits import (
    ACKNOWLEDGEMENTS_BURST,
    ACKNOWLEDGEMENTS_PER_SECOND,
    REQUEST_BYTES,
)
from untether.wire.client_frames import Acknowledge, Request
from untether.wire.packets import Unreadable


class Pace:
    """``burst`` at once, then so many a second, of one kind of thing from one connection."""

    __slots__ = ("_burst_time", "_interval", "_paid_until")

    def __init__(self, burst: int, per_second: int) -> None:
        self._interval = 1 / per_second
        self._burst_time = burst / per_second
        self._paid_until = 0.0

    def take(self, count: int, now: float) -> float:
        """Count what was read at ``now``; return for how many seconds to rest behind it.

        This is the generic cell rate algorithm (ITU-T I.371) that delays in place of refusing.
        """
        self._paid_until = max(self._paid_until, now) + count * self._interval
        return max(0.0, self._paid_until - now - self._burst_time)


class ReadingPace:
    """The paces of one connection; times are seconds of the event loop."""

    __slots__ = ("_acknowledgements", "_requests")

    def __init__(self, requests_burst: int, requests_per_second: int) -> None:
        self._requests = Pace(requests_burst, requests_per_second)
        self._acknowledgements = Pace(ACKNOWLEDGEMENTS_BURST, ACKNOWLEDGEMENTS_PER_SECOND)

    def after_packet(
        self, requests: Sequence[Request | Unreadable], size: int, now: float
    ) -> float:
        """Return for how long to rest behind a packet of ``size`` bytes."""
        acknowledgements = 0
        for request in requests:
            acknowledgements += isinstance(request, Request) and type(request.frame) is Acknowledge
        others = len(requests) - acknowledgements + size // REQUEST_BYTES
        return max(
            self._requests.take(others, now),
            self._acknowledgements.take(acknowledgements, now),
        )

    def after_ping(self, now: float) -> float:
        """Return for how long to rest behind a ping or pong, which counts like a request."""
        return self._requests.take(1, now)
