"""Delivery receipts: one per account, never to strangers (spec 07, "Receipts").

The first own device that opened a message waits a jittered moment and stays silent if the
receipt of another own device has arrived meanwhile. A stranger gets none: a receipt would tell
anybody on the relay when this person is online.
"""

from __future__ import annotations

from untether.base.identifiers import AccountId, MessageId
from untether.base.limits import RECEIPT_BATCH_MAX, RECEIPT_JITTER_MS
from untether.device import outgoing
from untether.device.context import Context
from untether.device.events import MessageProgressed
from untether.device.store import contacts, messages, receipts
from untether.wire.content import DeliveryReceipt


def owe(context: Context, author: AccountId, message_id: MessageId) -> None:
    """A message of another account was opened: a contact will hear of it soon."""
    if contacts.by_account(context.database, author) is None:
        return
    due = context.jittered(RECEIPT_JITTER_MS)
    receipts.add(context.database, author, message_id, due)
    context.wake_at(due)


def send_due(context: Context) -> None:
    """Send the receipts whose time has come; ask to be woken for the others."""
    for account, message_ids in receipts.due(context.database, context.now).items():
        for start in range(0, len(message_ids), RECEIPT_BATCH_MAX):
            batch = tuple(message_ids[start : start + RECEIPT_BATCH_MAX])
            outgoing.send_control(context, account, DeliveryReceipt(batch))
        receipts.settle(context.database, account, message_ids)
    following = receipts.next_due(context.database)
    if following is not None:
        context.wake_at(following)


def take_from_own_device(context: Context, other: AccountId, receipt: DeliveryReceipt) -> None:
    """An own device was quicker."""
    receipts.settle(context.database, other, receipt.message_ids)


def take(context: Context, sender: AccountId, receipt: DeliveryReceipt) -> None:
    """An account has opened messages of ours; ids that did not go to it say nothing."""
    for message in messages.outgoing_to(context.database, sender, receipt.message_ids):
        if message.state == "delivered":
            continue
        messages.save_state(context.database, message, "delivered")
        context.notify(
            MessageProgressed(message.message_id, message.other, "delivered", message.devices)
        )
