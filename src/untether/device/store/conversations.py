"""Conversations as an app shows them: pages of messages, and what is unread (spec 06, "History").

A page ends where the next earlier one begins: at a place in the order of messages.
"""

from __future__ import annotations

from msgspec import Struct

from untether.base.identifiers import AccountId, DeviceNumber, MessageId, UnixMillis
from untether.device.store.database import Database, Row, SqlValue
from untether.device.store.messages import COLUMNS, Message, from_row


class Place(Struct, frozen=True):
    """Where a message stands in the order of its conversation; without a time it is queued."""

    accepted_at: UnixMillis | None
    author_device: DeviceNumber
    counter: int
    message_id: MessageId


def place_of(message: Message) -> Place:
    """Return where a message stands."""
    return Place(message.accepted_at, message.author_device, message.counter, message.message_id)


def page(database: Database, other: AccountId, before: Place | None, limit: int) -> list[Message]:
    """Return the last ``limit`` messages with one account (before a place), oldest first."""
    found: list[Row] = []
    if before is None or before.accepted_at is None:
        found = _queued(database, other, before, limit)
        before = None
    if len(found) < limit:
        found += _accepted(database, other, before, limit - len(found))
    return [from_row(each) for each in reversed(found)]


def unread(database: Database) -> dict[AccountId, int]:
    """Return how many messages of others were not shown yet, by account."""
    found = database.rows(
        "SELECT other, count(*) FROM messages WHERE printed = 0 AND held = 0 AND outgoing = 0 "
        "GROUP BY other"
    )
    return {AccountId(other): count for other, count in found}


def mark_read(database: Database, other: AccountId) -> None:
    """Note that all messages with one account were shown."""
    database.run(
        "UPDATE messages SET printed = 1 WHERE printed = 0 AND held = 0 AND other = ?", other
    )


def _queued(database: Database, other: AccountId, before: Place | None, limit: int) -> list[Row]:
    """Return messages that the relay has not accepted yet, newest first."""
    earlier = ""
    parameters: tuple[SqlValue, ...] = ()
    if before is not None:
        earlier = "AND (author_device, counter, message_id) < (?, ?, ?) "
        parameters = (before.author_device, before.counter, before.message_id)
    return _found(
        database,
        f"accepted_at IS NULL {earlier}",
        "author_device DESC, counter DESC, message_id DESC",
        (other, *parameters, limit),
    )


def _accepted(database: Database, other: AccountId, before: Place | None, limit: int) -> list[Row]:
    """Return messages that the relay has accepted, newest first."""
    earlier = ""
    parameters: tuple[SqlValue, ...] = ()
    if before is not None:
        earlier = "AND (accepted_at, author_device, counter, message_id) < (?, ?, ?, ?) "
        parameters = (before.accepted_at, before.author_device, before.counter, before.message_id)
    return _found(
        database,
        f"accepted_at IS NOT NULL {earlier}",
        "accepted_at DESC, author_device DESC, counter DESC, message_id DESC",
        (other, *parameters, limit),
    )


def _found(
    database: Database, condition: str, order: str, parameters: tuple[SqlValue, ...]
) -> list[Row]:
    return database.rows(
        f"SELECT {COLUMNS} FROM messages WHERE other = ? AND held = 0 AND {condition} "  # noqa: S608
        f"ORDER BY {order} LIMIT ?",
        *parameters,
    )
