"""Notices: what people should know, kept until shown (spec 06, "Notices")."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from untether.base.identifiers import AccountId, UnixMillis
from untether.base.limits import NOTICES_PER_CODE_MAX
from untether.device.store.database import Database, Row

_COLUMNS = "row, code, account_id, details, posted_at"


class Notice(Struct, frozen=True):
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
) -> int:
    """Keep a notice until it is shown and return its row; of each code the oldest go first.

    Anybody can cause some codes as often as they like, and must not wash away others by it.
    """
    ((posted,),) = database.rows(
        "INSERT INTO notices (code, account_id, details, posted_at) VALUES (?, ?, ?, ?) "
        "RETURNING row",
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
    return int(posted)


def recount(database: Database, notice: int, count: int) -> None:
    """Change the count of a notice that nobody has seen; with none left it is taken back."""
    if count:
        database.run(
            "UPDATE notices SET details = json_set(details, '$.count', ?) "
            "WHERE row = ? AND shown = 0",
            count,
            notice,
        )
    else:
        database.run("DELETE FROM notices WHERE row = ? AND shown = 0", notice)


def unshown(database: Database) -> list[Notice]:
    """Return the notices not shown yet, oldest first."""
    return [
        _notice(found)
        for found in database.rows(f"SELECT {_COLUMNS} FROM notices WHERE shown = 0 ORDER BY row")  # noqa: S608
    ]


def about(database: Database, account_id: AccountId, limit: int) -> list[Notice]:
    """Return the newest notices about one account, shown or not, oldest first."""
    found = database.rows(
        f"SELECT {_COLUMNS} FROM notices WHERE account_id = ? ORDER BY row DESC LIMIT ?",  # noqa: S608
        account_id,
        limit,
    )
    return [_notice(each) for each in reversed(found)]


def mark_shown(database: Database, shown: Iterable[Notice]) -> None:
    """Remember that people have seen these."""
    database.many("UPDATE notices SET shown = 1 WHERE row = ?", [(one.row,) for one in shown])


def _notice(found: Row) -> Notice:
    row, code, account, details, posted_at = found
    return Notice(
        row=row,
        code=code,
        account_id=None if account is None else AccountId(account),
        details=msgspec.json.decode(details, type=dict[str, int | str]),
        posted_at=UnixMillis(posted_at),
    )
