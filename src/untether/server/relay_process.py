"""What all connections of one relay process share.

Sockets ask this object for the store, the rules, the clock and the dice; nothing else in
``server/`` reads the wall clock or draws randomness.
"""

from __future__ import annotations

import os
import time

from untether.base.identifiers import MINUTE_MS, SECOND_MS, RelayId, UnixMillis
from untether.relay.budgets import (
    GUEST_REQUESTS,
    LINK_SLOTS,
    LOGINS,
    RECIPIENTS,
    SUBMITS,
    Budgets,
    Rate,
)
from untether.relay.principals import Guest
from untether.relay.session import RelayRules, RelaySession
from untether.relay.transaction import RelayStore, RelayTransaction
from untether.server.config import Config, Quotas
from untether.server.event_log import Log
from untether.server.hub import Hub
from untether.server.metrics import Metrics
from untether.server.push_service import PushService
from untether.server.web_push import WebPush

_NONCE_LENGTH = 32
_ID_SETTING = "relay-id"


def operator_budgets(quotas: Quotas) -> Budgets:
    """Return the limits in memory, with the operator's rates in place of the built-in ones."""
    return Budgets(
        {
            SUBMITS: rate(quotas.submit_burst, quotas.submits_per_second),
            RECIPIENTS: rate(quotas.recipients_burst, quotas.recipients_per_second),
            LOGINS: rate(quotas.logins_burst, quotas.logins_per_second),
            GUEST_REQUESTS: Rate(
                quotas.guest_requests_burst, MINUTE_MS / quotas.guest_requests_per_minute
            ),
            LINK_SLOTS: Rate(quotas.link_slots_burst, MINUTE_MS / quotas.link_slots_per_minute),
        }
    )


class RelayProcess:
    """One running relay: store, rules, hub, metrics and log; ``address`` is its own origin."""

    def __init__(
        self,
        *,
        config: Config,
        address: str,
        store: RelayStore,
        rules: RelayRules,
        metrics: Metrics,
        log: Log,
        push_service: PushService | None = None,
    ) -> None:
        self.config = config
        self.address = address
        self.store = store
        self.rules = rules
        self.metrics = metrics
        self.log = log
        self.hub = Hub(self)
        self.web_push = None if push_service is None else WebPush(self, push_service)
        self._budgets = operator_budgets(config.quotas)

    @staticmethod
    def now() -> UnixMillis:
        """Return the time by the machine's clock."""
        return UnixMillis(time.time_ns() // 1_000_000)

    @staticmethod
    def randomness(length: int) -> bytes:
        """Draw fresh random bytes from the operating system."""
        return os.urandom(length)  # noqa: TID251 (drivers draw it)

    def new_session(self, peer: str) -> RelaySession:
        """Begin a connection: a guest with a nonce of its own."""
        return RelaySession(
            rules=self.rules,
            budgets=self._budgets,
            nonce=self.randomness(_NONCE_LENGTH),
            principal=Guest(peer),
        )


async def own_relay_id(tx: RelayTransaction, fresh: RelayId) -> RelayId:
    """Return the relay's id; the first call of a database's life makes ``fresh`` the one."""
    kept = await tx.setting(_ID_SETTING)
    if kept is not None:
        return RelayId(kept)
    await tx.put_setting(_ID_SETTING, fresh)
    return fresh


def rate(burst: int, per_second: int) -> Rate:
    """Express ``burst`` at once and then so many a second."""
    return Rate(burst, SECOND_MS / per_second)
