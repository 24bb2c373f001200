"""Rows of message counters: the highest heard, and runs that did not come (spec 07, "Gaps")."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from untether.base.identifiers import AccountId, UnixMillis
from untether.device.store.database import Database, row

TOLD_OTHERWISE = 0
"""In place of a notice: other notices have told people of these messages."""


class Gap(Struct, frozen=True):
    """A run of counters of one device in one conversation that did not come.

    The counter before it was heard at ``before``, the one behind it at ``noticed_at``.
    """

    peer: int
    other: AccountId
    first: int
    last: int
    before: UnixMillis
    noticed_at: UnixMillis
    notice: int | None = None

    @property
    def size(self) -> int:
        """How many messages are missing."""
        return self.last - self.first + 1


_COLUMNS = "peer, other, first, last, before, noticed_at, notice"


def highest(database: Database, peer: int, other: AccountId) -> tuple[int, UnixMillis] | None:
    """Return the highest counter of a device in a conversation and when it was heard."""
    found = row(
        database,
        "SELECT highest, heard_at FROM counters_heard WHERE peer = ? AND other = ?",
        peer,
        other,
    )
    return None if found is None else (int(found[0]), UnixMillis(found[1]))


def save_highest(
    database: Database, peer: int, other: AccountId, counter: int, now: UnixMillis
) -> None:
    """Remember a counter above all heard before."""
    database.run(
        "INSERT OR REPLACE INTO counters_heard VALUES (?, ?, ?, ?)", peer, other, counter, now
    )


def add(database: Database, gap: Gap) -> None:
    """Remember a run that did not come."""
    database.run(
        f"INSERT INTO counters_missing ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        gap.peer,
        gap.other,
        gap.first,
        gap.last,
        gap.before,
        gap.noticed_at,
        gap.notice,
    )


def with_counter(database: Database, peer: int, other: AccountId, counter: int) -> Gap | None:
    """Return the run that a counter is missing in."""
    found = _select(
        database,
        "peer = ?1 AND other = ?2 AND first <= ?3 AND last >= ?3",
        peer,
        other,
        counter,
    )
    return found[0] if found else None


def close(database: Database, gap: Gap, counter: int) -> None:
    """Take a counter that has come after all out of its run."""
    database.run(
        "DELETE FROM counters_missing WHERE peer = ? AND other = ? AND first = ?",
        gap.peer,
        gap.other,
        gap.first,
    )
    if gap.first < counter:
        add(database, replace(gap, last=counter - 1))
    if counter < gap.last:
        add(database, replace(gap, first=counter + 1))


def untold(database: Database, noticed_by: UnixMillis) -> list[Gap]:
    """Return the runs that people have to be told of, device by device."""
    return _select(
        database, "notice IS NULL AND noticed_at <= ? ORDER BY peer, other, first", noticed_by
    )


def told_by(database: Database, notice: int) -> list[Gap]:
    """Return what is still missing of that which a notice has named."""
    return _select(database, "notice = ?", notice)


def mark_told(database: Database, gap: Gap, notice: int) -> None:
    """Remember the notice that names a run."""
    database.run(
        "UPDATE counters_missing SET notice = ? WHERE peer = ? AND other = ? AND first = ?",
        notice,
        gap.peer,
        gap.other,
        gap.first,
    )


def _select(database: Database, where: str, *parameters: int | bytes) -> list[Gap]:
    return [
        Gap(
            peer,
            AccountId(other),
            first,
            last,
            UnixMillis(before),
            UnixMillis(noticed_at),
            notice,
        )
        for peer, other, first, last, before, noticed_at, notice in database.rows(
            f"SELECT {_COLUMNS} FROM counters_missing WHERE {where}",  # noqa: S608 (constants)
            *parameters,
        )
    ]
