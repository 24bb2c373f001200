"""What is done at every connection and every Tick (spec 06, "Upkeep").

Users who only ever run single commands have no other moment for it.
"""

from __future__ import annotations

from untether.device import gossip, inbox, outbox, own_account, prekeys, receipts, sessions
from untether.device.context import Context
from untether.device.inputs import Tick
from untether.device.store.own_device import State


def run(context: Context, *, one_time_at_relay: int) -> None:
    """Do everything that may be due after a login."""
    prekeys.keep_up(context, one_time_at_relay)
    own_account.renew_lease_if_due(context)
    own_account.publish(context)
    sessions.forget_old_keys(context)
    inbox.fetch_waited_for(context)
    tick(context, Tick())


def tick(context: Context, _event: Tick) -> None:
    """Do what has become due."""
    own = context.own_or_none
    if own is None or own.state is not State.ACTIVE:
        return
    gossip.end_unserved_claims(context)
    receipts.send_due(context)
    outbox.advance_all(context)
