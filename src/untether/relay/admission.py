"""Whether a connection may ask for something now (spec 08, "Who may send what" and "Limits").

Who it is and how much it has asked for decide that, not what the frame says.
"""

from __future__ import annotations

from typing import NamedTuple

from untether.base.identifiers import UnixMillis
from untether.relay.budgets import GUEST_REQUESTS, Rate
from untether.relay.outcome import Refusal
from untether.relay.principals import Guest, Principal
from untether.relay.session import RelaySession


class Terms(NamedTuple):
    """Who may send one kind of frame, and how often.

    ``rate`` limits each asking device, and guests together by their network address.
    ``guest_rate`` limits what all guests of one network address may ask in addition. ``apart``
    limits a kind by itself, in place of the limit that all requests of a connection share.
    """

    allowed: frozenset[type[Principal]]
    rate: Rate | None = None
    guest_rate: Rate = GUEST_REQUESTS
    apart: Rate | None = None


def admit(session: RelaySession, terms: Terms, now: UnixMillis) -> None:
    """Count one request; a Refusal says ``not-allowed``, or how long to wait."""
    principal, budgets = session.principal, session.budgets
    if type(principal) not in terms.allowed:
        raise Refusal("not-allowed")
    if terms.apart is None:
        wait_ms = budgets.take(session.connection, session.rules.requests, now)
    else:
        wait_ms = budgets.take((terms.apart, session.connection), terms.apart, now)
    who = principal if isinstance(principal, Guest) else principal.address
    if not wait_ms and isinstance(principal, Guest):
        wait_ms = budgets.take((terms.guest_rate, who), terms.guest_rate, now)
    if not wait_ms and terms.rate is not None:
        wait_ms = budgets.take((terms.rate, who), terms.rate, now)
    if wait_ms:
        raise Refusal("rate-limited", wait_ms)


def may_go_on(session: RelaySession, now: UnixMillis) -> bool:
    """Count a ping, or a request that can't be read; tell whether the connection may go on."""
    return not session.budgets.take(session.connection, session.rules.requests, now)
