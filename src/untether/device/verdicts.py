"""The relay's verdict on a submission, account by account (spec 05, "Verdicts")."""

from __future__ import annotations

from untether.base.errors import RemoteError
from untether.base.identifiers import UnixMillis
from untether.base.limits import QUEUED_RETRY_MS
from untether.device import account_lists, directory
from untether.device.context import Context
from untether.device.events import MessageProgressed, MessageState
from untether.device.outbox import advance, is_outdated, refused, shown_message, stuck
from untether.device.store import messages, outbox
from untether.device.store.outbox import OutgoingRecipient, Progress
from untether.wire.client_frames import Submit, SubmitDirect
from untether.wire.records import ListHead
from untether.wire.server_frames import (
    Accepted,
    AccountRefused,
    ListsChanged,
    Refused,
    ServerFrame,
    Submitted,
)

_PERMANENT_REFUSALS = frozenset({"no-such-account"})


def on_submitted(context: Context, request: Submit | SubmitDirect, answer: ServerFrame) -> None:
    """Take the relay's verdict for each account."""
    if isinstance(answer, Refused):
        refused(context, request.message_id, answer)
    if not isinstance(answer, Submitted):
        return
    for verdict in answer.verdicts:
        recipient = next(
            (
                row
                for row in outbox.recipients(context.database, answer.message_id)
                if row.account_id == verdict.account_id and row.progress is Progress.SEALED
            ),
            None,
        )
        if recipient is None:
            continue
        if not isinstance(verdict, Accepted) and recipient.head != _sealed_for(request, recipient):
            continue  # the copies were sealed anew since, and have a verdict of their own
        match verdict:
            case Accepted():
                _accepted(context, recipient, verdict.accepted_at)
            case ListsChanged():
                _lists_changed(context, recipient, verdict)
            case AccountRefused():
                _refused(context, recipient, verdict)


def _sealed_for(request: Submit | SubmitDirect, recipient: OutgoingRecipient) -> ListHead | None:
    if isinstance(request, SubmitDirect):
        return request.head
    heads = {asked.account_id: asked.head for asked in request.recipients}
    return heads.get(recipient.account_id)


def _accepted(context: Context, recipient: OutgoingRecipient, at: UnixMillis) -> None:
    outbox.save_progress(
        context.database, recipient.message_id, recipient.account_id, Progress.SENT
    )
    devices = sum(copy.header is not None for copy in recipient.copies)
    message = shown_message(context, recipient.message_id)
    if message is not None:
        arrived = message.other == recipient.account_id and message.state == "queued"
        state: MessageState = "sent" if arrived else message.state
        messages.save_state(context.database, message, state, more_devices=devices)
        by_own_account = recipient.account_id == context.own.account_id
        messages.save_accept_time(context.database, message, at, by_own_account=by_own_account)
        context.notify(
            MessageProgressed(message.message_id, message.other, state, message.devices + devices)
        )
    rows = outbox.recipients(context.database, recipient.message_id)
    if all(row.progress is Progress.SENT for row in rows):
        outbox.remove(context.database, recipient.message_id)


def _lists_changed(context: Context, recipient: OutgoingRecipient, verdict: ListsChanged) -> None:
    outbox.save_progress(
        context.database, recipient.message_id, recipient.account_id, Progress.WAITING
    )
    try:
        changed = account_lists.learn(context, recipient.account_id, verdict.account)
    except RemoteError as error:
        cause = "relay-behind" if error.code == "list-rolled-back" else error.code
        stuck(context, recipient.message_id, recipient.account_id, cause)
        return
    if changed:
        return
    if is_outdated(context, recipient, directory.row(context, recipient.account_id)):
        advance(context, recipient.message_id)
    elif verdict.account.more:  # the verdicts of this message had no room for these lists
        directory.fetch(context, recipient.account_id)
    else:
        stuck(context, recipient.message_id, recipient.account_id, "relay-behind")


def _refused(context: Context, recipient: OutgoingRecipient, verdict: AccountRefused) -> None:
    if verdict.code in _PERMANENT_REFUSALS:
        message = shown_message(context, recipient.message_id)
        outbox.remove(context.database, recipient.message_id)
        if message is not None:
            messages.save_state(context.database, message, "failed")
            context.notify(
                MessageProgressed(
                    message.message_id, message.other, "failed", message.devices, verdict.code
                )
            )
        return
    wait = verdict.retry_after_ms or QUEUED_RETRY_MS
    stuck(context, recipient.message_id, recipient.account_id, verdict.code, wait)
