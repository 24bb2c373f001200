"""What leaves this device: content is composed, sealed once and queued (spec 05, "Sending")."""

from __future__ import annotations

from msgspec import structs
from msgspec.structs import replace

from untether.base.errors import LocalError
from untether.base.identifiers import AccountId, DeviceNumber, MessageId, UnixMillis
from untether.base.limits import BODY_MAX, RATCHET_ANSWER_JITTER_MS, TEXT_MAX
from untether.device import directory, outbox
from untether.device.context import Context
from untether.device.events import MessageProgressed
from untether.device.inputs import SendText
from untether.device.store import messages
from untether.device.store import outbox as rows
from untether.device.store.messages import Message
from untether.device.store.outbox import Outgoing
from untether.protocol.body import seal_body
from untether.wire import codec
from untether.wire.content import (
    UNREPAIRED,
    UNREPAIRED_ID,
    Content,
    DirectConversation,
    Kind,
    RatchetTurn,
    RepairAnswer,
    RepairRefusal,
    RepairRequest,
    Text,
)
from untether.wire.records import ListHead

EXPLAINS_START = (RepairRequest, RepairAnswer, RepairRefusal)
MESSAGE_ID_LENGTH = 16
SALT_LENGTH = 16
AT_ONCE = UnixMillis(0)
_NO_HEAD = ListHead(0, 0, bytes(32))


def send_text(context: Context, command: SendText) -> None:
    """Store a text message and start it on its way."""
    own = context.active
    encoded_length = len(command.text.encode())
    if not 1 <= encoded_length <= TEXT_MAX:
        raise LocalError(
            "message-too-long" if encoded_length else "message-empty",
            f"The message has {encoded_length} bytes; 1 to {TEXT_MAX} can be sent.",
            "Shorten it." if encoded_length else "Write something.",
        )
    counter = messages.next_counter(context.database, command.to)
    content = _content(context, command.to, Text(command.text), counter)
    messages.add(
        context.database,
        Message(
            message_id=content.message_id,
            author=own.account_id,
            author_device=own.device,
            other=command.to,
            outgoing=True,
            text=command.text,
            counter=counter,
            sent_at=context.now,
            accepted_at=None,
            state="queued",
            devices=0,
            held=False,
        ),
        printed=True,
    )
    context.notify(MessageProgressed(content.message_id, command.to, "queued", 0))
    _queue(context, content, tuple(sorted({command.to, own.account_id})))


def send_control(
    context: Context, to: AccountId, kind: Kind, *, not_before: UnixMillis | None = None
) -> None:
    """Send a control message to every device of an account and to the own other devices."""
    content = _content(context, to, kind, counter=0)
    recipients = tuple(sorted({to, context.own.account_id}))
    _queue(context, content, recipients, not_before=not_before)


def send_direct(
    context: Context,
    to: AccountId,
    device: DeviceNumber,
    kind: Kind,
    *,
    not_before: UnixMillis | None = None,
) -> MessageId:
    """Send a control message to one device only; return its id."""
    content = _content(context, to, kind, counter=0)
    _queue(context, content, (to,), direct_device=device, not_before=not_before)
    return content.message_id


def turn_ratchet(context: Context, to: AccountId, device: DeviceNumber) -> None:
    """Answer a new session once with nothing, after a jittered moment (spec 04)."""
    later = context.jittered(RATCHET_ANSWER_JITTER_MS)
    send_direct(context, to, device, RatchetTurn(), not_before=later)


def seal_again(context: Context) -> None:
    """Put the newest own list head into all that is queued: this phone has recovered.

    So the first thing that peers see in a new session is the generation that explains it.
    """
    head = _own_head(context)
    for message in rows.every(context.database):
        content = codec.decode(message.content, Content, size_max=BODY_MAX)
        encoded = codec.encode(structs.replace(content, own_head=head))
        body = seal_body(encoded, context.randomness)
        rows.save_body(
            context.database,
            replace(
                message,
                content=encoded,
                body=body.sealed,
                body_key=body.body_key,
                body_hash=body.body_hash,
            ),
        )
    rows.unseal_all(context.database)


def _own_head(context: Context) -> ListHead:
    held = directory.held_list(context, context.own.account_id)
    return _NO_HEAD if held is None else held.head


def _content(context: Context, other: AccountId, kind: Kind, counter: int) -> Content:
    own = context.own
    low, high = sorted((own.account_id, other))
    return Content(
        message_id=_new_id(context, kind),
        conversation=DirectConversation(low, high),
        kind=kind,
        counter=counter,
        sent_at=context.now,
        own_head=_own_head(context),
        salt=context.randomness(SALT_LENGTH),
    )


def _new_id(context: Context, kind: Kind) -> MessageId:
    """Draw an id; whoever can't open the message sees from it whether to ask for it again."""
    mark = UNREPAIRED_ID if isinstance(kind, UNREPAIRED) else b""
    return MessageId(mark + context.randomness(MESSAGE_ID_LENGTH - len(mark)))


def _queue(
    context: Context,
    content: Content,
    recipients: tuple[AccountId, ...],
    *,
    direct_device: DeviceNumber | None = None,
    not_before: UnixMillis | None = None,
) -> None:
    encoded = codec.encode(content)
    body = seal_body(encoded, context.randomness)
    message = Outgoing(
        message_id=content.message_id,
        content=encoded,
        body=body.sealed,
        body_key=body.body_key,
        body_hash=body.body_hash,
        direct_device=direct_device,
        not_before=not_before or AT_ONCE,
        created_at=context.now,
        explains_start=isinstance(content.kind, EXPLAINS_START),
    )
    rows.add(context.database, message, recipients)
    if not_before is not None and not_before > context.now:
        context.wake_at(not_before)
    else:
        outbox.advance(context, content.message_id)
