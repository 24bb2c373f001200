"""How much may be asked for, and the count of it (spec 08, "Limits").

Limits come in two kinds. Those that protect the machine (requests of a network address,
submissions of a device) are kept in memory by :class:`Budgets`, one for each relay process. Those
that protect another account (claimed prekeys, mailbox shares) are rows, because they must
survive a restart. Both count by :func:`spend`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec import Struct

from untether.base import limits
from untether.base.identifiers import UnixMillis


class Rate(NamedTuple):
    """``burst`` at once, then one more each ``refill_ms``."""

    burst: int
    refill_ms: float


SUBMITS: Final = Rate(limits.SUBMIT_BURST, 1000 / limits.SUBMITS_PER_SECOND)
RECIPIENTS: Final = Rate(limits.RECIPIENTS_BURST, 1000 / limits.RECIPIENTS_PER_SECOND)
GUEST_REQUESTS: Final = Rate(limits.GUEST_REQUESTS_BURST, limits.GUEST_REQUESTS_REFILL_MS)
LOGINS: Final = Rate(limits.LOGINS_BURST, limits.LOGINS_REFILL_MS)
NAME_LOOKUPS: Final = Rate(limits.NAME_LOOKUPS_BURST, limits.NAME_LOOKUPS_REFILL_MS)
SIGNED_UPLOADS: Final = Rate(limits.SIGNED_UPLOADS_BURST, limits.SIGNED_UPLOADS_REFILL_MS)
ACCOUNT_LISTS: Final = Rate(limits.ACCOUNT_LISTS_BURST, limits.ACCOUNT_LISTS_REFILL_MS)
LINK_ITEMS: Final = Rate(limits.LINK_ITEMS_BURST, limits.LINK_ITEMS_REFILL_MS)
LINK_SLOTS: Final = Rate(limits.LINK_SLOTS_BURST, limits.LINK_SLOTS_REFILL_MS)
CLAIMS: Final = Rate(limits.CLAIMS_PER_TARGET_BURST, limits.CLAIMS_PER_TARGET_REFILL_MS)


class Spent(Struct, frozen=True):
    """The new state of a limit, or how long to wait (then nothing was spent)."""

    due_at: float
    retry_after_ms: int


def spend(due_at: float, rate: Rate, now: UnixMillis, count: int = 1) -> Spent:
    """Take ``count`` from a limit by the generic cell rate algorithm (ITU-T I.371).

    The whole state is one time: when the bucket will be full again. An empty bucket is full after
    ``burst`` refills; a later time comes from a clock that was ahead then.
    """
    burst, refill_ms = rate
    fill_ms = min(due_at - now, burst * refill_ms) if due_at > now else 0
    wait = fill_ms - (burst - count) * refill_ms
    if wait > 0:
        return Spent(now + fill_ms, int(wait) + 1)
    return Spent(now + fill_ms + count * refill_ms, 0)


class Budgets:
    """The limits that live in memory, for all connections of one relay process.

    ``instead`` are the rates that an operator has put in place of the built-in ones.
    """

    def __init__(
        self,
        instead: Mapping[Rate, Rate] = MappingProxyType({}),
        states_max: int = limits.BUDGET_STATES_MAX,
    ) -> None:
        self._instead = instead
        self._due_at: dict[Hashable, float] = {}
        self._states_max = states_max

    def take(self, key: Hashable, rate: Rate, now: UnixMillis, count: int = 1) -> int:
        """Spend ``count``; returns 0, or the milliseconds to wait (then nothing was spent)."""
        spent = spend(self._due_at.get(key, 0), self._instead.get(rate, rate), now, count)
        if len(self._due_at) >= self._states_max:
            self._forget_full(now)
        self._due_at[key] = spent.due_at
        return spent.retry_after_ms

    def _forget_full(self, now: UnixMillis) -> None:
        """Drop the states that are as good as new; if there are none, the oldest half."""
        kept = {key: due_at for key, due_at in self._due_at.items() if due_at > now}
        if len(kept) >= self._states_max:
            kept = dict(list(kept.items())[len(kept) // 2 :])
        self._due_at = kept
