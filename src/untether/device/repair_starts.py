"""Which starts of a session a repair needs, and which it explains (spec 10, "Possible copy").

A device that starts anew without a cause may be a copy with the same keys. One that starts to ask
for a message again, or to answer on a session that the asker surely has, says so in the first
thing that it seals there.
"""

from __future__ import annotations

from untether.base.errors import RemoteError
from untether.base.identifiers import SECOND_MS
from untether.base.limits import BODY_MAX, REPAIR_START_MS
from untether.device import sessions
from untether.device.context import Context
from untether.device.repair_answers import entitled, may_be_answered
from untether.device.senders import Sender
from untether.device.store import peers, repairs
from untether.device.store.sessions import PeerKey
from untether.protocol.pairwise.session_book import Opened
from untether.wire import codec
from untether.wire.content import Content, Kind, RepairAnswer, RepairRefusal, RepairRequest


def answer_on_new_session(context: Context, sender: Sender, kind: Kind, opened: Opened) -> None:
    """A request came on a session that is not the active one: the asker may not have that."""
    if (
        isinstance(kind, RepairRequest)
        and opened.session_id != opened.sessions[0].id
        and may_be_answered(context, sender)
    ):
        peer = PeerKey(sender.row, sender.account_id, sender.device)
        sessions.start_for_repair(context, peer, since=context.now)


def explains_start(context: Context, sender: Sender, kind: Kind, opened: Opened) -> bool:
    """Tell whether a device started anew to ask for something that is meant for it, or to answer.

    To be called before the content is taken. Once in a while only: two devices with the same keys
    would both need it soon.
    """
    if opened.started is None or not _concerns_repair(context, sender, kind):
        return False
    last = peers.repair_start(context.database, sender.row)
    if opened.started.number < last + REPAIR_START_MS // SECOND_MS:
        return False
    peers.save_repair_start(context.database, sender.row, opened.started.number)
    return True


def _concerns_repair(context: Context, sender: Sender, kind: Kind) -> bool:
    match kind:
        case RepairRequest(message_ids):
            return may_be_answered(context, sender) and any(
                entitled(context, sender, message_id) for message_id in message_ids
            )
        case RepairAnswer(content):
            try:
                answered = codec.decode(content, Content, size_max=BODY_MAX)
            except RemoteError:
                return False
            return repairs.was_asked(context.database, sender.row, answered.message_id)
        case RepairRefusal(message_ids):
            return any(
                repairs.was_asked(context.database, sender.row, message_id)
                for message_id in message_ids
            )
        case _:
            return False
