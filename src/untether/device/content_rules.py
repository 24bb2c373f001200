"""Which content counts from whom: one table (spec 07, "Who may say what").

A direct conversation is the unordered pair of the sender's and the own account. Only own
devices may name another pair: the own account with somebody; that is an own copy, shown as
outgoing. Whatever acts on the own account counts from own devices alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from untether.base.errors import RemoteError, TrustError
from untether.base.identifiers import AccountId, UnixMillis
from untether.base.limits import HELD_RETRY_MS
from untether.device import (
    arrivals,
    directory,
    gaps,
    gossip,
    leases,
    receipts,
    repair,
    repair_answers,
)
from untether.device.context import Context
from untether.device.senders import Sender, SenderKind
from untether.device.store import device_notices, inbox, messages
from untether.device.store.messages import Message
from untether.wire.content import (
    UNREPAIRED,
    Content,
    DeliveryReceipt,
    DeviceNotice,
    ListClaimQuestion,
    ListEvidence,
    RatchetTurn,
    RepairAnswer,
    RepairRefusal,
    RepairRequest,
    Text,
)

_ANYBODY = frozenset(SenderKind)
_OWN_DEVICES = frozenset({SenderKind.OWN, SenderKind.OWN_PHONE})


def take(context: Context, sender: Sender, content: Content, accepted_at: UnixMillis) -> None:
    """Check conversation and sender, then act on the content; RemoteError when refused."""
    other = _other_side(context, sender, content)
    allowed, act = RULES[type(content.kind)]
    if sender.kind not in allowed:
        raise RemoteError("not-allowed", f"{sender.kind.value} may not say that.")
    act(context, sender, content, other, accepted_at)


def _other_side(context: Context, sender: Sender, content: Content) -> AccountId:
    """Return the other account of the conversation; RemoteError when it is not the sender's."""
    own = context.own.account_id
    low, high = content.conversation.low, content.conversation.high
    if low > high or own not in (low, high):
        raise RemoteError("wrong-conversation", "The message belongs to another conversation.")
    other = high if low == own else low
    if sender.kind is SenderKind.OTHER and other != sender.account_id:
        raise RemoteError("wrong-conversation", "The message belongs to another conversation.")
    return other


def _text(
    context: Context, sender: Sender, content: Content, other: AccountId, accepted_at: UnixMillis
) -> None:
    assert isinstance(content.kind, Text)
    message = Message(
        message_id=content.message_id,
        author=sender.account_id,
        author_device=sender.device,
        other=other,
        outgoing=sender.kind is not SenderKind.OTHER,
        text=content.kind.text,
        counter=content.counter,
        sent_at=content.sent_at,
        accepted_at=accepted_at,
        state="sent",
        devices=0,
        held=sender.held,
    )
    messages.add(context.database, message, printed=False)
    gaps.heard(context, sender, other, content.counter)
    if sender.removed:
        context.notice("removed-device-wrote", sender.account_id, device=sender.device)
    if not sender.held:
        arrivals.announce(context, message)
        return
    context.wake_at(UnixMillis(context.now + HELD_RETRY_MS))
    if not leases.ask_if_long_ended(context, directory.row(context, sender.account_id)):
        context.notice("message-held", sender.account_id, device=sender.device)


def _delivery_receipt(
    context: Context, sender: Sender, content: Content, other: AccountId, _at: UnixMillis
) -> None:
    assert isinstance(content.kind, DeliveryReceipt)
    if sender.kind is SenderKind.OTHER:
        receipts.take(context, other, content.kind)
    else:
        receipts.take_from_own_device(context, other, content.kind)


def _ratchet_turn(*_: object) -> None:
    """Having opened it was the point."""


def _list_claim_question(
    context: Context, sender: Sender, content: Content, _other: AccountId, _at: UnixMillis
) -> None:
    assert isinstance(content.kind, ListClaimQuestion)
    gossip.answer_question(context, sender, content.kind)


def _list_evidence(
    context: Context, _sender: Sender, content: Content, _other: AccountId, _at: UnixMillis
) -> None:
    assert isinstance(content.kind, ListEvidence)
    gossip.take_evidence(context, content.kind)


def _device_notice(
    context: Context, sender: Sender, content: Content, _other: AccountId, _at: UnixMillis
) -> None:
    assert isinstance(content.kind, DeviceNotice)
    if sender.removed and content.kind.device != sender.device:
        return  # it was the phone, and those devices have introduced themselves since
    if sender.kind is SenderKind.OWN and content.kind.device != sender.device:
        raise RemoteError("not-allowed", "A companion told something about another device.")
    device_notices.save(context.database, content.kind)


def _repair_request(
    context: Context, sender: Sender, content: Content, _other: AccountId, _at: UnixMillis
) -> None:
    assert isinstance(content.kind, RepairRequest)
    repair_answers.take_request(context, sender, content.kind)


def _repair_answer(
    context: Context, sender: Sender, content: Content, _other: AccountId, _at: UnixMillis
) -> None:
    """Take the content that was asked for as if the message itself had been opened."""
    assert isinstance(content.kind, RepairAnswer)
    asked = repair.asked_for(context, sender, content.kind)
    if asked is None:
        return
    waiting, original = asked
    try:
        with context.undoable():
            if isinstance(original.kind, UNREPAIRED):
                raise RemoteError("not-allowed", "That is never sent again.")
            inbox.mark_seen(context.database, sender.row, original.message_id)
            take(context, sender, original, waiting.accepted_at)
    except (RemoteError, TrustError):
        repair.give_up(context, waiting, "answer-refused")
    else:
        repair.recovered(context, waiting)


def _repair_refusal(
    context: Context, sender: Sender, content: Content, _other: AccountId, _at: UnixMillis
) -> None:
    assert isinstance(content.kind, RepairRefusal)
    repair.take_refusal(context, sender, content.kind)


Act = Callable[[Context, Sender, Content, AccountId, UnixMillis], Any]

RULES: dict[type, tuple[frozenset[SenderKind], Act]] = {
    Text: (_ANYBODY, _text),
    DeliveryReceipt: (_ANYBODY, _delivery_receipt),
    RatchetTurn: (_ANYBODY, _ratchet_turn),
    ListClaimQuestion: (_ANYBODY, _list_claim_question),
    ListEvidence: (_ANYBODY, _list_evidence),
    DeviceNotice: (_OWN_DEVICES, _device_notice),
    RepairRequest: (_ANYBODY, _repair_request),
    RepairAnswer: (_ANYBODY, _repair_answer),
    RepairRefusal: (_ANYBODY, _repair_refusal),
}
"""Kind of content → who may say it → what it does."""
