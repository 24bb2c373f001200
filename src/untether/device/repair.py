"""Messages that can't be opened are asked for again, on this side (spec 10, "Asking").

Theory of operation. A message that can't be opened is one row: of which device, which message,
why. The row outlives restarts, and everything that follows is read from it. :func:`look_after`
runs at each Tick: what is due of one device is asked for in one request; what is too old ends.
An answer is a message of its own, so a request or an answer that gets lost, or can't be opened
either, changes nothing here: the next try is due all the same. Every way out of a row is told,
by the message itself or by a notice.
"""

from __future__ import annotations

from untether.base.errors import RemoteError
from untether.base.identifiers import AccountId, DeviceNumber, MessageId, UnixMillis
from untether.base.limits import (
    BODY_MAX,
    QUEUED_RETRY_MS,
    REPAIR_BACK_OFF,
    REPAIR_BATCH_MAX,
    REPAIR_JITTER_MS,
    REPAIR_MS,
    REPAIR_REQUESTS_PER_HOUR_MAX,
    REPAIR_RETRY_MS,
    REPAIR_TRIES_MAX,
    REPAIRS_OF_STRANGERS_MAX,
    REPAIRS_PER_ACCOUNT_MAX,
    REPAIRS_PER_STRANGER_MAX,
)
from untether.device import leases, outgoing, senders, sessions
from untether.device.context import Context
from untether.device.events import MessageRecovered
from untether.device.senders import Sender
from untether.device.store import inbox, messages, peers, repairs
from untether.device.store.inbox import GivenUp
from untether.device.store.repairs import Repair
from untether.device.store.sessions import PeerKey
from untether.wire import codec
from untether.wire.content import Content, RepairAnswer, RepairRefusal, RepairRequest
from untether.wire.server_frames import Entry

_SESSION_IN_DOUBT = frozenset(
    {"unknown-session", "prekey-gone", "bad-message", "too-far-ahead", "message-key-used"}
)
REPAIRED = _SESSION_IN_DOUBT | {
    "message-key-expired",
    "body-swapped",
    "not-sealed-unsealable",
    "not-sealed-asleep",
    "not-sealed-lease-expired",
    "not-sealed-unknown",
}
"""Causes that the sender can do something about; all others it would only repeat."""


def begin(context: Context, entry: Entry, cause: str) -> bool:
    """Take care of a message that can't be opened; False when nobody can be asked for it."""
    sender = _sender_to_ask(context, entry.sender, entry.sender_device)
    if sender is None:
        return False
    peer, message_id = sender.row, entry.message_id
    known = repairs.find(context.database, peer, message_id) is not None
    if known or inbox.is_seen(context.database, peer, message_id):
        return True
    if not _has_room(context, sender):
        given_up = GivenUp(entry.sender, entry.sender_device, message_id, cause, context.now)
        _end(context, given_up, "too-many-to-repair")
        return True
    if not repairs.any_of(context.database, peer):
        context.notice("message-waits", entry.sender, cause=cause, device=entry.sender_device)
    due_at = _first_request_at(context, peer)
    repairs.add(
        context.database,
        peer,
        message_id,
        cause,
        accepted_at=entry.accepted_at,
        begun_at=context.now,
        due_at=due_at,
    )
    context.wake_at(due_at)
    return True


def look_after(context: Context) -> None:
    """Ask for what is due, and end what has waited too long."""
    for peer in repairs.peers_due(context.database, context.now):
        _look_after_due(context, repairs.due_of(context.database, peer, context.now))
    for repair in repairs.never_asked(context.database, UnixMillis(context.now - REPAIR_MS)):
        give_up(context, repair, "never-asked")
    following = repairs.next_due(context.database, context.now)
    if following is not None:
        context.wake_at(following)


def contact_known(context: Context, account: AccountId) -> None:
    """Somebody is no stranger any more: ask for what could not be opened of them."""
    repairs.hasten(context.database, account, context.now)
    look_after(context)


def asked_for(
    context: Context, sender: Sender, answer: RepairAnswer
) -> tuple[Repair, Content] | None:
    """Return what an answer repairs and the content that it brings; None if that is known.

    Raises RemoteError ``not-asked`` for what this device did not ask of exactly this device.
    """
    content = codec.decode(answer.content, Content, size_max=BODY_MAX)
    repair = repairs.find(context.database, sender.row, content.message_id)
    if repair is not None and repair.tries:
        return repair, content
    if inbox.is_seen(context.database, sender.row, content.message_id):
        return None
    raise RemoteError("not-asked", "The message answers a question that was not asked.")


def arrived(context: Context, sender: Sender, message_id: MessageId) -> None:
    """The message itself came again and could be opened."""
    repairs.remove(context.database, sender.row, message_id)


def recovered(context: Context, repair: Repair) -> None:
    """What was asked for has come, and was taken."""
    repairs.remove(context.database, repair.peer, repair.message_id)
    author = (repair.account_id, repair.device, repair.message_id)
    if messages.mark_recovered(context.database, *author):
        context.notify(MessageRecovered(repair.message_id, repair.account_id, repair.device))


def take_refusal(context: Context, sender: Sender, refusal: RepairRefusal) -> None:
    """The sender has nothing (any more) for this device; it counts for what it was asked."""
    for message_id in refusal.message_ids:
        repair = repairs.find(context.database, sender.row, message_id)
        if repair is not None and repair.tries:
            give_up(context, repair, "not-kept")


def give_up(context: Context, repair: Repair, reason: str) -> None:
    """End a repair; people are told why the message was not opened, and how this ended."""
    repairs.remove(context.database, repair.peer, repair.message_id)
    message = repair.account_id, repair.device, repair.message_id
    _end(context, GivenUp(*message, repair.cause, repair.begun_at), reason)


def give_up_all(context: Context, reason: str) -> None:
    """End all repairs: this device takes no part any more."""
    for repair in repairs.every(context.database):
        give_up(context, repair, reason)


def _look_after_due(context: Context, due: list[Repair]) -> None:
    """End what was due an answer to its last request, and ask that device for the rest."""
    again = [repair for repair in due if repair.tries < REPAIR_TRIES_MAX]
    for repair in due:
        if repair not in again:
            give_up(context, repair, "unanswered")
    if again:
        _ask(context, again)


def _ask(context: Context, due: list[Repair]) -> None:
    """Ask one device for what is due, unless a request to it still waits in the outbox."""
    first = due[0]
    sender = _sender_to_ask(context, first.account_id, first.device)
    if sender is None or sender.row != first.peer:
        for repair in due:
            give_up(context, repair, "device-removed")
    elif not senders.is_known(context, sender) or leases.is_over_for_this_device(context):
        _postpone(context, first.peer, QUEUED_RETRY_MS)
    elif repairs.request_waits(context.database, first.peer):
        _postpone(context, first.peer, REPAIR_RETRY_MS * REPAIR_BACK_OFF)
    else:
        for start in range(0, len(due), REPAIR_BATCH_MAX):
            if _asked_enough(context, first.peer):
                _postpone(context, first.peer, REPAIR_RETRY_MS)
                break
            if start == 0:
                _make_session_fresh(context, due)
            _request(context, due[start : start + REPAIR_BATCH_MAX])


def _request(context: Context, batch: list[Repair]) -> None:
    first = batch[0]
    request = RepairRequest(tuple(repair.message_id for repair in batch))
    request_id = outgoing.send_direct(context, first.account_id, first.device, request)
    repairs.asked(
        context.database, request_id, [(repair, _next_try_at(context, repair)) for repair in batch]
    )


def _asked_enough(context: Context, peer: int) -> bool:
    """Count one more request; a device that gets many watches whether this one is awake."""
    asked = peers.count_asked(context.database, peer, context.now)
    return asked > REPAIR_REQUESTS_PER_HOUR_MAX


def _make_session_fresh(context: Context, due: list[Repair]) -> None:
    doubted = [repair for repair in due if repair.cause in _SESSION_IN_DOUBT]
    if doubted:
        sessions.start_for_repair(
            context,
            PeerKey(due[0].peer, due[0].account_id, due[0].device),
            since=max(repair.begun_at for repair in doubted),
            again=any(repair.tries for repair in doubted),
        )


def _next_try_at(context: Context, repair: Repair) -> UnixMillis:
    """Return when a message is due again that is asked for now; after the last try, its end."""
    if repair.tries + 1 >= REPAIR_TRIES_MAX:
        return UnixMillis(context.now + REPAIR_MS)
    return UnixMillis(context.now + REPAIR_RETRY_MS * REPAIR_BACK_OFF**repair.tries)


def _first_request_at(context: Context, peer: int) -> UnixMillis:
    """Return a jittered moment, or the one at which that device is going to be asked anyway."""
    planned = repairs.first_request_due(context.database, peer)
    if planned is not None and planned <= context.now + REPAIR_JITTER_MS:
        return planned
    return context.jittered(REPAIR_JITTER_MS)


def _postpone(context: Context, peer: int, wait_ms: int) -> None:
    repairs.postpone(context.database, peer, UnixMillis(context.now + wait_ms))


def _sender_to_ask(context: Context, account: AccountId, number: DeviceNumber) -> Sender | None:
    """Return a device that is listed, and not this one; None for all others."""
    own = context.own
    if (account, number) == (own.account_id, own.device):
        return None
    try:
        sender = senders.find(context, account, number)
    except RemoteError:
        return None
    return None if sender is None or sender.removed else sender


def _has_room(context: Context, sender: Sender) -> bool:
    own, account = context.own.account_id, sender.account_id
    of_account = repairs.count_of_account(context.database, account)
    if senders.is_known(context, sender):
        return of_account < REPAIRS_PER_ACCOUNT_MAX
    of_all = repairs.count_of_strangers(context.database, own)
    return of_account < REPAIRS_PER_STRANGER_MAX and of_all < REPAIRS_OF_STRANGERS_MAX


def _end(context: Context, message: GivenUp, reason: str) -> None:
    inbox.add_given_up(context.database, message, context.now)
    context.notice(
        "message-not-readable",
        message.account_id,
        cause=message.cause,
        device=message.device,
        reason=reason,
    )
