"""A message of a person becomes visible: at once, or when its hold ends (spec 07, "Text")."""

from __future__ import annotations

from untether.device import receipts
from untether.device.context import Context
from untether.device.events import MessageReceived
from untether.device.store.messages import Message


def announce(context: Context, message: Message) -> None:
    """Tell people of a message that came in; its author will hear that it arrived."""
    assert message.accepted_at is not None
    context.notify(
        MessageReceived(
            message_id=message.message_id,
            author=message.author,
            author_device=message.author_device,
            other=message.other,
            outgoing=message.outgoing,
            sent_at=message.sent_at,
            accepted_at=message.accepted_at,
            text=message.text,
        )
    )
    if not message.outgoing:
        receipts.owe(context, message.other, message.message_id)
