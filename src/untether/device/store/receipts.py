"""Rows of delivery receipts that are due (spec 07, "Receipts")."""

from __future__ import annotations

from collections.abc import Iterable

from untether.base.identifiers import AccountId, MessageId, UnixMillis
from untether.device.store.database import Database, row


def add(database: Database, account: AccountId, message_id: MessageId, due: UnixMillis) -> None:
    """Owe an account a receipt for one of its messages."""
    database.run("INSERT OR IGNORE INTO receipts_due VALUES (?, ?, ?)", account, message_id, due)


def settle(database: Database, account: AccountId, message_ids: Iterable[MessageId]) -> None:
    """A receipt for these messages was sent, here or by an own device."""
    database.many(
        "DELETE FROM receipts_due WHERE account_id = ? AND message_id = ?",
        [(account, message_id) for message_id in message_ids],
    )


def due(database: Database, now: UnixMillis) -> dict[AccountId, list[MessageId]]:
    """Return the receipts whose time has come, by account."""
    found: dict[AccountId, list[MessageId]] = {}
    for account, message_id in database.rows(
        "SELECT account_id, message_id FROM receipts_due WHERE due_at <= ? "
        "ORDER BY account_id, due_at, message_id",
        now,
    ):
        found.setdefault(AccountId(account), []).append(MessageId(message_id))
    return found


def next_due(database: Database) -> UnixMillis | None:
    """Return when the next receipt is due, or None."""
    found = row(database, "SELECT min(due_at) FROM receipts_due")
    return None if found is None else found[0]
