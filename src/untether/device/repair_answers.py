"""What this device sent is sent again to those who can't open it (spec 10, "Answering").

An asker gets only what was sealed for it when it was sent, and only while it may be written to.
Whoever is not entitled hears the same as about a message that never was. A request costs its
sender more than this device: it is counted, and each message has a bounded number of answers.
"""

from __future__ import annotations

from untether.base.identifiers import MessageId, UnixMillis
from untether.base.limits import (
    KEPT_SENT_MS,
    REPAIR_REQUESTS_PER_HOUR_MAX,
    REPAIR_TRIES_MAX,
)
from untether.device import outgoing, senders
from untether.device.context import Context
from untether.device.senders import Sender
from untether.device.store import peers, sent
from untether.device.store.sent import Sent
from untether.wire.content import Kind, RepairAnswer, RepairRefusal, RepairRequest


def take_request(context: Context, sender: Sender, request: RepairRequest) -> None:
    """Send again what the asker is entitled to; refuse the rest in one message."""
    if not may_be_answered(context, sender):
        return
    if peers.count_request(context.database, sender.row, context.now) > (
        REPAIR_REQUESTS_PER_HOUR_MAX
    ):
        return
    refused = []
    answered = 0
    for message_id in dict.fromkeys(request.message_ids):
        kept = entitled(context, sender, message_id)
        if kept is None:
            refused.append(message_id)
        elif sent.count_answer(context.database, kept.row, sender.row) <= REPAIR_TRIES_MAX:
            _say(context, sender, RepairAnswer(kept.content))
            answered += 1
    if refused:
        _say(context, sender, RepairRefusal(tuple(refused)))
    if answered:
        context.notice(
            "message-sent-again", sender.account_id, device=sender.device, count=answered
        )


def forget_old(context: Context) -> None:
    """Forget what nobody is going to ask for any more."""
    sent.forget(context.database, UnixMillis(context.now - KEPT_SENT_MS))


def may_be_answered(context: Context, sender: Sender) -> bool:
    """Tell whether a device may be written to at all: listed, no stranger, its lease running."""
    return senders.is_known(context, sender) and not sender.held


def entitled(context: Context, sender: Sender, message_id: MessageId) -> Sent | None:
    """Return a message that was sealed for the asker, by its keys; None for all others."""
    kept = sent.find(context.database, message_id)
    return kept if kept is not None and sender.row in kept.devices else None


def _say(context: Context, sender: Sender, kind: Kind) -> None:
    outgoing.send_direct(context, sender.account_id, sender.device, kind)
