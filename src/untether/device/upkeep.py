"""What is done at every connection and every Tick (spec 06, "Upkeep").

Users who only ever run single commands have no other moment for it.
"""

from __future__ import annotations

from untether.device import (
    gaps,
    gossip,
    inbox,
    leases,
    linking,
    log_out,
    membership,
    outbox,
    own_account,
    prekeys,
    receipts,
    repair,
    repair_answers,
    sessions,
)
from untether.device.context import Context
from untether.device.inputs import Tick
from untether.device.store.own_device import State


def run(context: Context, *, one_time_at_relay: int) -> None:
    """Do everything that may be due after a login."""
    log_out.send_resignation(context)
    membership.look_for_resigned(context)
    prekeys.keep_up(context, one_time_at_relay)
    own_account.publish(context)
    sessions.forget_old_keys(context)
    repair_answers.forget_old(context)
    inbox.look_after_parked(context)
    tick(context, Tick())


def tick(context: Context, _event: Tick) -> None:
    """Do what has become due."""
    own = context.own_or_none
    linking.pursue(context)
    if own is None or own.state is not State.ACTIVE:
        return
    membership.look(context)
    leases.tick(context)
    gossip.end_unserved_claims(context)
    gaps.tell_due(context)
    receipts.send_due(context)
    repair.look_after(context)
    outbox.advance_all(context)
