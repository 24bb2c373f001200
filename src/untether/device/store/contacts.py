"""Rows of contacts: names that people use for accounts (spec 06, "Contacts")."""

from __future__ import annotations

from msgspec import Struct

from untether.base.errors import LocalError
from untether.base.identifiers import AccountId, UnixMillis
from untether.device.store.database import Database, Row, row


class Contact(Struct, frozen=True):
    """A name and the account pinned for it.

    ``waiting_account_id`` is another account that the relay now gives for the name: a break
    that stays visible until the person accepts it.
    """

    name: str
    account_id: AccountId
    verified: bool
    added_at: UnixMillis
    waiting_account_id: AccountId | None


_COLUMNS = "name, account_id, verified, added_at, waiting_account_id"


def _contact(found: Row) -> Contact:
    name, account_id, verified, added_at, waiting = found
    return Contact(
        name=name,
        account_id=AccountId(account_id),
        verified=bool(verified),
        added_at=UnixMillis(added_at),
        waiting_account_id=None if waiting is None else AccountId(waiting),
    )


def by_name(database: Database, name: str) -> Contact | None:
    """Return the contact with a name."""
    found = row(database, f"SELECT {_COLUMNS} FROM contacts WHERE name = ?", name)  # noqa: S608
    return None if found is None else _contact(found)


def require(database: Database, name: str) -> Contact:
    """Return the contact with a name; LocalError ``unknown-contact``."""
    contact = by_name(database, name)
    if contact is None:
        raise LocalError(
            "unknown-contact",
            f"There is no contact “{name}”.",
            f"Write to them first: `untether send {name} -m …`.",
        )
    return contact


def by_account(database: Database, account_id: AccountId) -> Contact | None:
    """Return the contact pinned to an account."""
    found = row(
        database,
        f"SELECT {_COLUMNS} FROM contacts WHERE account_id = ?",  # noqa: S608 (constant)
        account_id,
    )
    return None if found is None else _contact(found)


def every(database: Database) -> list[Contact]:
    """Return all contacts by name."""
    return [
        _contact(found)
        for found in database.rows(f"SELECT {_COLUMNS} FROM contacts ORDER BY name")  # noqa: S608
    ]


def add(database: Database, name: str, account_id: AccountId, now: UnixMillis) -> None:
    """Pin a name to an account, unverified."""
    database.run(
        "INSERT INTO contacts (name, account_id, added_at) VALUES (?, ?, ?)",
        name,
        account_id,
        now,
    )


def save_break(database: Database, name: str, waiting: AccountId | None) -> None:
    """Remember that the relay gives another account for a name (or no longer does)."""
    database.run("UPDATE contacts SET waiting_account_id = ? WHERE name = ?", waiting, name)


def repoint(database: Database, name: str, account_id: AccountId) -> None:
    """Point a name to its new account, unverified; the old conversation stays as it is."""
    database.run("DELETE FROM contacts WHERE account_id = ? AND name <> ?", account_id, name)
    database.run(
        "UPDATE contacts SET account_id = ?, verified = 0, waiting_account_id = NULL "
        "WHERE name = ?",
        account_id,
        name,
    )


def mark_verified(database: Database, name: str) -> None:
    """The person has compared the security codes."""
    database.run("UPDATE contacts SET verified = 1 WHERE name = ?", name)
