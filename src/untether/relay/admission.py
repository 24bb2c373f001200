"""Whether a connection may ask for something now (spec 08, "Who may send what" and "Limits").

Who it is and how much it has asked for decide that, not what the frame says. How fast one
connection is read is the server's business (:mod:`untether.server.pacing`).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from untether.base.identifiers import UnixMillis
from untether.relay.budgets import GUEST_REQUESTS, Rate
from untether.relay.outcome import Call, Refusal
from untether.relay.principals import Guest, Principal
from untether.relay.session import RelaySession


class Terms(NamedTuple):
    """Who may send one kind of frame, and how often.

    ``rate`` limits each asking device, and guests together by their network address.
    ``guest_rate`` limits what all guests of one network address may ask in addition.
    """

    allowed: frozenset[type[Principal]]
    rate: Rate | None = None
    guest_rate: Rate = GUEST_REQUESTS


def admit(session: RelaySession, terms: Terms, now: UnixMillis) -> None:
    """Count one request; a Refusal says ``not-allowed``, or how long to wait."""
    principal = session.principal
    if type(principal) not in terms.allowed:
        raise Refusal("not-allowed")
    who = principal if isinstance(principal, Guest) else principal.address
    if isinstance(principal, Guest):
        _take(session, (terms.guest_rate, who), terms.guest_rate, now)
    if terms.rate is not None:
        _take(session, (terms.rate, who), terms.rate, now)


def count(call: Call, who: Hashable, rate: Rate, amount: int) -> None:
    """Count what one request brings beside itself; a Refusal says how long to wait."""
    _take(call.session, (rate, who), rate, call.now, amount)


def _take(
    session: RelaySession, key: Hashable, rate: Rate, now: UnixMillis, amount: int = 1
) -> None:
    wait_ms = session.budgets.take(key, rate, now, amount)
    if wait_ms:
        raise Refusal("rate-limited", wait_ms)
