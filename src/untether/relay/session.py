"""What a decision knows of its connection (spec 08): the rules, the budgets, and who asks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from untether.base import limits
from untether.base.identifiers import RelayId
from untether.relay.budgets import Budgets
from untether.relay.principals import Principal


@dataclass(frozen=True)
class RelayRules:
    """What the operator decides. ``origins`` are the addresses that devices may dial.

    ``incarnation`` is the number of this start of the relay (spec 08, "Mailbox"), ``push_key`` the
    key by which push services know it, if it wakes devices.
    """

    relay_id: RelayId
    origins: frozenset[str]
    registration: Literal["open", "invitation", "closed"] = "open"
    lease_max_ms: int = limits.LEASE_MAX_MS
    incarnation: int = 0
    push_key: bytes | None = None


@dataclass(frozen=True)
class RelaySession:
    """One connection: what the relay knows of it. Only a login changes it.

    ``nonce`` is the one of its challenge.
    """

    rules: RelayRules
    budgets: Budgets
    nonce: bytes
    principal: Principal

    def as_principal(self, principal: Principal) -> RelaySession:
        """Return the session of a connection that has logged in."""
        return replace(self, principal=principal)
