"""Notices: what people should know, kept until shown (spec 06, "Notices")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from untether.base.identifiers import AccountId, UnixMillis
from untether.base.limits import NOTICES_PER_CODE_MAX
from untether.device.store.database import Database


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice; ``code`` names its text."""

    row: int
    code: str
    account_id: AccountId | None
    details: dict[str, int | str]
    posted_at: UnixMillis


def post(
    database: Database,
    code: str,
    account_id: AccountId | None,
    details: dict[str, int | str],
    now: UnixMillis,
) -> None:
    """Keep a notice until it is shown; of each code the oldest go first.

    Anybody can cause some codes as often as they like, and must not wash away others by it.
    """
    database.run(
        "INSERT INTO notices (code, account_id, details, posted_at) VALUES (?, ?, ?, ?)",
        code,
        account_id,
        msgspec.json.encode(details).decode(),
        now,
    )
    database.run(
        "DELETE FROM notices WHERE code = ?1 AND row <= "
        "(SELECT row FROM notices WHERE code = ?1 ORDER BY row DESC LIMIT 1 OFFSET ?2)",
        code,
        NOTICES_PER_CODE_MAX,
    )


def unshown(database: Database) -> list[Notice]:
    """Return the notices not shown yet, oldest first."""
    found = database.rows(
        "SELECT row, code, account_id, details, posted_at FROM notices WHERE shown = 0 ORDER BY row"
    )
    return [
        Notice(
            row=row,
            code=code,
            account_id=None if account is None else AccountId(account),
            details=msgspec.json.decode(details, type=dict[str, int | str]),
            posted_at=UnixMillis(posted_at),
        )
        for row, code, account, details, posted_at in found
    ]


def mark_shown(database: Database, shown: Iterable[Notice]) -> None:
    """Remember that people have seen these."""
    database.many("UPDATE notices SET shown = 1 WHERE row = ?", [(one.row,) for one in shown])
