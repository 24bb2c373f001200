"""Rows of messages on their way out (spec 06, "Outbox")."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from untether.base.identifiers import AccountId, DeviceNumber, MessageId, UnixMillis
from untether.base.limits import DEPARTURE_JITTER_MS_MAX, FRAME_MAX
from untether.device.store import heads
from untether.device.store.database import Database, Row, row
from untether.wire import codec
from untether.wire.client_frames import Copy
from untether.wire.records import ListHead


class Progress(Enum):
    """How far a message has come for one account."""

    WAITING = "waiting"
    """An answer of the relay is needed first: a list or prekeys."""
    STUCK = "stuck"
    """It can't be sent now; ``cause`` says why and ``retry_at`` when it is tried again."""
    SEALED = "sealed"
    """Copies are sealed and submitted; repeats are byte-equal until the relay answers."""
    SENT = "sent"
    """The relay has it."""


class Outgoing(Struct, frozen=True):
    """A message with its body, sealed once."""

    message_id: MessageId
    content: bytes
    body: bytes
    body_key: bytes
    body_hash: bytes
    direct_device: DeviceNumber | None
    not_before: UnixMillis
    created_at: UnixMillis
    explains_start: bool


class OutgoingRecipient(Struct, frozen=True):
    """One account that a message goes to."""

    message_id: MessageId
    account_id: AccountId
    progress: Progress
    cause: str
    head: ListHead | None
    copies: tuple[Copy, ...]


def add(database: Database, message: Outgoing, recipients: tuple[AccountId, ...]) -> None:
    """Store a new message for some accounts."""
    database.run(
        "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        message.message_id,
        message.content,
        message.body,
        message.body_key,
        message.body_hash,
        message.direct_device,
        message.not_before,
        message.created_at,
        message.explains_start,
    )
    database.many(
        "INSERT INTO outbox_recipients (message_id, account_id, state) VALUES (?, ?, ?)",
        [(message.message_id, account, Progress.WAITING.value) for account in recipients],
    )


def find(database: Database, message_id: MessageId) -> Outgoing | None:
    """Return a message that is on its way, or None."""
    found = row(database, "SELECT * FROM outbox WHERE message_id = ?", message_id)
    return None if found is None else Outgoing(*found)


def remove(database: Database, message_id: MessageId) -> None:
    """Forget a message with all its recipients."""
    database.run("DELETE FROM outbox WHERE message_id = ?", message_id)


def recipients(database: Database, message_id: MessageId) -> list[OutgoingRecipient]:
    """Return the accounts of a message in the order of their ids."""
    return [
        _recipient(found)
        for found in database.rows(
            "SELECT message_id, account_id, state, cause, head, copies FROM outbox_recipients "
            "WHERE message_id = ? ORDER BY account_id",
            message_id,
        )
    ]


def save_sealed(
    database: Database,
    message_id: MessageId,
    account_id: AccountId,
    head: ListHead,
    copies: tuple[Copy, ...],
) -> None:
    """Keep the sealed copies for one account until the relay has answered."""
    database.run(
        "UPDATE outbox_recipients SET state = ?, cause = '', head = ?, copies = ? "
        "WHERE message_id = ? AND account_id = ?",
        Progress.SEALED.value,
        heads.to_column(head),
        codec.encode(copies),
        message_id,
        account_id,
    )


def save_progress(
    database: Database,
    message_id: MessageId,
    account_id: AccountId,
    progress: Progress,
    *,
    cause: str = "",
    retry_at: int = 0,
) -> None:
    """Move one account of a message; sealed copies are dropped."""
    database.run(
        "UPDATE outbox_recipients SET state = ?, cause = ?, retry_at = ?, head = NULL, "
        "copies = NULL WHERE message_id = ? AND account_id = ?",
        progress.value,
        cause,
        retry_at,
        message_id,
        account_id,
    )


_ORDER = "explains_start DESC, created_at, outbox.message_id"
"""Oldest first, behind what says why its session began (spec 10, "Asking")."""


def every(database: Database) -> list[Outgoing]:
    """Return all messages on their way, oldest first."""
    found = database.rows("SELECT * FROM outbox ORDER BY created_at, message_id")
    return [Outgoing(*each) for each in found]


def save_body(database: Database, message: Outgoing) -> None:
    """Store a message whose content was sealed again."""
    database.run(
        "UPDATE outbox SET content = ?, body = ?, body_key = ?, body_hash = ? WHERE message_id = ?",
        message.content,
        message.body,
        message.body_key,
        message.body_hash,
        message.message_id,
    )


def unseal_all(database: Database) -> None:
    """Drop all sealed copies: they are to be sealed again in new sessions."""
    database.run(
        "UPDATE outbox_recipients SET state = ?, head = NULL, copies = NULL WHERE state = ?",
        Progress.WAITING.value,
        Progress.SEALED.value,
    )


_MAY_LEAVE = f"not_before NOT BETWEEN ? + 1 AND ? + {DEPARTURE_JITTER_MS_MAX}"
"""Nothing is held back for longer, so that a later time comes from a clock that was ahead."""


def unsent(database: Database, now: UnixMillis) -> list[MessageId]:
    """Return all messages that may leave now, oldest first."""
    return [
        MessageId(message_id)
        for (message_id,) in database.rows(
            f"SELECT message_id FROM outbox WHERE {_MAY_LEAVE} ORDER BY {_ORDER}",  # noqa: S608 (constant)
            now,
            now,
        )
    ]


def waiting_for(database: Database, account_id: AccountId, now: UnixMillis) -> list[MessageId]:
    """Return messages that wait or are stuck for an account, oldest first."""
    return [
        MessageId(message_id)
        for (message_id,) in database.rows(
            "SELECT outbox.message_id "  # noqa: S608 (constant)
            "FROM outbox JOIN outbox_recipients USING (message_id) "
            f"WHERE account_id = ? AND state IN (?, ?) AND {_MAY_LEAVE} ORDER BY {_ORDER}",
            account_id,
            Progress.WAITING.value,
            Progress.STUCK.value,
            now,
            now,
        )
    ]


def cause_of(database: Database, message_id: MessageId, account_id: AccountId) -> str:
    """Return why a message waits for one account; empty when nothing is known, or nothing waits."""
    found = row(
        database,
        "SELECT cause FROM outbox_recipients WHERE message_id = ? AND account_id = ?",
        message_id,
        account_id,
    )
    return "" if found is None else str(found[0])


def next_departure(database: Database, now: UnixMillis) -> UnixMillis | None:
    """Return when the next delayed message may leave, or None."""
    found = row(database, "SELECT min(not_before) FROM outbox WHERE not_before > ?", now)
    return None if found is None else found[0]


def _recipient(found: Row) -> OutgoingRecipient:
    message_id, account_id, state, cause, head, copies = found
    return OutgoingRecipient(
        message_id=MessageId(message_id),
        account_id=AccountId(account_id),
        progress=Progress(state),
        cause=cause,
        head=heads.from_column(head),
        copies=() if copies is None else codec.decode(copies, tuple[Copy, ...], size_max=FRAME_MAX),
    )
