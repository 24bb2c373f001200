"""Rows of messages that people wrote (spec 06, "History").

Order on every device: the relay's accept time, then the sender's device, then its counter, then
the message id; messages not yet accepted come last.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from untether.base.identifiers import AccountId, DeviceNumber, MessageId, UnixMillis
from untether.device.events import MessageState
from untether.device.store.database import Database, Row, row


class Message(Struct, frozen=True):
    """One message; ``other`` is the other account of the conversation.

    ``recovered``: it could not be opened when it first came, and was sent again.
    """

    message_id: MessageId
    author: AccountId
    author_device: DeviceNumber
    other: AccountId
    outgoing: bool
    text: str
    counter: int
    sent_at: UnixMillis
    accepted_at: UnixMillis | None
    state: MessageState
    devices: int
    held: bool
    recovered: bool = False


COLUMNS = (
    "message_id, author, author_device, other, outgoing, text, counter, sent_at, accepted_at, "
    "state, devices, held, recovered"
)
"""What :func:`from_row` reads."""
_ORDER = "accepted_at IS NULL, accepted_at, author_device, counter, message_id"


def add(database: Database, message: Message, *, printed: bool) -> None:
    """Store a message; ``printed`` ones were written here and need no announcement."""
    database.run(
        f"INSERT INTO messages ({COLUMNS}, printed) "  # noqa: S608 (constant)
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        message.message_id,
        message.author,
        message.author_device,
        message.other,
        message.outgoing,
        message.text,
        message.counter,
        message.sent_at,
        message.accepted_at,
        message.state,
        message.devices,
        message.held,
        message.recovered,
        printed,
    )


def others(database: Database) -> list[AccountId]:
    """Return the accounts on the other side of all messages."""
    found = database.rows("SELECT DISTINCT other FROM messages ORDER BY other")
    return [AccountId(account) for (account,) in found]


def are_there(database: Database) -> bool:
    """Tell whether this device keeps any message."""
    return row(database, "SELECT 1 FROM messages LIMIT 1") is not None


def find_own(
    database: Database, author: AccountId, device: DeviceNumber, message_id: MessageId
) -> Message | None:
    """Return a message by its author's device and id."""
    found = row(
        database,
        f"SELECT {COLUMNS} FROM messages "  # noqa: S608 (constant)
        "WHERE author = ? AND author_device = ? AND message_id = ?",
        author,
        device,
        message_id,
    )
    return None if found is None else from_row(found)


def outgoing_to(
    database: Database, other: AccountId, message_ids: tuple[MessageId, ...]
) -> list[Message]:
    """Return those of the given messages that went from the own account to ``other``."""
    found: list[Row] = []
    for message_id in message_ids:
        found += database.rows(
            f"SELECT {COLUMNS} FROM messages "  # noqa: S608 (constant)
            "WHERE message_id = ? AND other = ? AND outgoing = 1",
            message_id,
            other,
        )
    return [from_row(each) for each in found]


def save_state(
    database: Database,
    message: Message,
    state: MessageState,
    *,
    more_devices: int = 0,
) -> None:
    """Move a message to a new state."""
    database.run(
        "UPDATE messages SET state = ?, devices = devices + ? "
        "WHERE author = ? AND author_device = ? AND message_id = ?",
        state,
        more_devices,
        message.author,
        message.author_device,
        message.message_id,
    )


def save_accept_time(
    database: Database, message: Message, accepted_at: UnixMillis, *, by_own_account: bool
) -> None:
    """Order an own message: the own account's accept time counts, another one until it comes."""
    known = "?1" if by_own_account else "coalesce(accepted_at, ?1)"
    database.run(
        f"UPDATE messages SET accepted_at = {known} "  # noqa: S608 (constant)
        "WHERE author = ?2 AND author_device = ?3 AND message_id = ?4",
        accepted_at,
        message.author,
        message.author_device,
        message.message_id,
    )


def held_authors(database: Database) -> list[AccountId]:
    """Return the accounts that messages are held of."""
    found = database.rows("SELECT DISTINCT author FROM messages WHERE held = 1 ORDER BY author")
    return [AccountId(author) for (author,) in found]


def is_written_to(database: Database, account_id: AccountId) -> bool:
    """Tell whether the own account has written to another one, as far as this device knows."""
    found = row(
        database, "SELECT 1 FROM messages WHERE other = ? AND outgoing = 1 LIMIT 1", account_id
    )
    return found is not None


def mark_recovered(
    database: Database, author: AccountId, device: DeviceNumber, message_id: MessageId
) -> bool:
    """Note that a message could not be opened when it first came; False if there is none."""
    return (
        database.run(
            "UPDATE messages SET recovered = 1 WHERE author = ? AND author_device = ? "
            "AND message_id = ?",
            author,
            device,
            message_id,
        )
        == 1
    )


def held_from(database: Database, author: AccountId) -> list[Message]:
    """Return messages that are held because their author's lease had ended, in order."""
    return [
        from_row(found)
        for found in database.rows(
            f"SELECT {COLUMNS} FROM messages "  # noqa: S608 (constant)
            f"WHERE author = ? AND held = 1 ORDER BY {_ORDER}",
            author,
        )
    ]


def release(database: Database, message: Message) -> None:
    """Show a message that was held."""
    database.run(
        "UPDATE messages SET held = 0 WHERE author = ? AND author_device = ? AND message_id = ?",
        message.author,
        message.author_device,
        message.message_id,
    )


def forget(database: Database, message: Message) -> None:
    """Delete a message that is never shown."""
    database.run(
        "DELETE FROM messages WHERE author = ? AND author_device = ? AND message_id = ?",
        message.author,
        message.author_device,
        message.message_id,
    )


def renumber_unsent(
    database: Database, author: AccountId, old: DeviceNumber, new: DeviceNumber
) -> None:
    """This device has another number now: what it has not sent yet goes out under it."""
    database.run(
        "UPDATE messages SET author_device = ? WHERE author = ? AND author_device = ? "
        "AND message_id IN (SELECT message_id FROM outbox)",
        new,
        author,
        old,
    )


def unprinted(database: Database, limit: int) -> list[Message]:
    """Return messages received and not yet printed, in order."""
    found = database.rows(
        f"SELECT {COLUMNS} FROM messages "  # noqa: S608 (constant)
        f"WHERE printed = 0 AND held = 0 ORDER BY {_ORDER} LIMIT ?",
        limit,
    )
    return [from_row(each) for each in found]


def mark_printed(database: Database, printed: Iterable[Message]) -> None:
    """Note that these were printed."""
    database.many(
        "UPDATE messages SET printed = 1 WHERE author = ? AND author_device = ? AND message_id = ?",
        [(one.author, one.author_device, one.message_id) for one in printed],
    )


def history(database: Database, other: AccountId | None, limit: int) -> list[Message]:
    """Return the newest ``limit`` messages (with one account, or all), oldest first."""
    where = "held = 0" if other is None else "held = 0 AND other = ?"
    parameters = () if other is None else (other,)
    newest_first = (
        "accepted_at IS NOT NULL, accepted_at DESC, author_device DESC, counter DESC, "
        "message_id DESC"
    )
    found = database.rows(
        f"SELECT {COLUMNS} FROM messages WHERE {where} "  # noqa: S608 (constant)
        f"ORDER BY {newest_first} LIMIT ?",
        *parameters,
        limit,
    )
    return [from_row(each) for each in reversed(found)]


def next_counter(database: Database, other: AccountId) -> int:
    """Return the counter of the next message of a conversation and consume it."""
    database.run(
        "INSERT INTO counters (other, next) VALUES (?, 2) "
        "ON CONFLICT (other) DO UPDATE SET next = next + 1",
        other,
    )
    found = row(database, "SELECT next - 1 FROM counters WHERE other = ?", other)
    assert found is not None
    return int(found[0])


def from_row(found: Row) -> Message:
    """Read a row of :data:`COLUMNS`."""
    (
        message_id,
        author,
        author_device,
        other,
        outgoing,
        text,
        counter,
        sent_at,
        accepted_at,
        state,
        devices,
        held,
        recovered,
    ) = found
    return Message(
        message_id=MessageId(message_id),
        author=AccountId(author),
        author_device=DeviceNumber(author_device),
        other=AccountId(other),
        outgoing=bool(outgoing),
        text=text,
        counter=counter,
        sent_at=UnixMillis(sent_at),
        accepted_at=None if accepted_at is None else UnixMillis(accepted_at),
        state=state,
        devices=devices,
        held=bool(held),
        recovered=bool(recovered),
    )
