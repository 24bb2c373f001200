"""Rows of what came in: seen-marks and parked mail (spec 07, "Inbox")."""

from __future__ import annotations

from msgspec import Struct

from untether.base.identifiers import AccountId, DeviceNumber, MessageId, UnixMillis
from untether.base.limits import FRAME_MAX, GIVEN_UP_KEPT_MAX
from untether.device.store.database import Database, row
from untether.wire import codec
from untether.wire.server_frames import Entry

WAITING = "waiting"
"""The sender's list is being fetched."""
GIVEN_UP = "given-up"
"""It can't be opened; ``cause`` says why."""


class GivenUp(Struct, frozen=True):
    """A message that nobody tries to open any more: of whom, which, why, and when it came."""

    account_id: AccountId
    device: DeviceNumber
    message_id: MessageId
    cause: str
    came_at: UnixMillis


class Parked(Struct, frozen=True):
    """A mailbox entry that could not be opened when it came."""

    row: int
    entry: Entry
    parked_at: UnixMillis


def mark_seen(database: Database, peer: int, message_id: MessageId) -> bool:
    """Mark a message of a peer as seen; return False when it was seen before."""
    return database.run("INSERT OR IGNORE INTO seen VALUES (?, ?)", peer, message_id) == 1


def is_seen(database: Database, peer: int, message_id: MessageId) -> bool:
    """Tell whether a message of a peer was seen before."""
    found = row(database, "SELECT 1 FROM seen WHERE peer = ? AND message_id = ?", peer, message_id)
    return found is not None


def park(database: Database, entry: Entry, cause: str, now: UnixMillis) -> None:
    """Keep an entry that can't be opened yet."""
    database.run(
        "INSERT INTO parked (account_id, device, message_id, entry, cause, state, parked_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        entry.sender,
        entry.sender_device,
        entry.message_id,
        codec.encode(entry),
        cause,
        WAITING,
        now,
    )


def add_given_up(database: Database, message: GivenUp, now: UnixMillis) -> None:
    """Remember that a message came that nobody tries to open any more; its bytes are not kept."""
    database.run(
        "INSERT INTO parked (account_id, device, message_id, entry, cause, state, parked_at, "
        "given_up_at) VALUES (?, ?, ?, x'', ?, ?, ?, ?)",
        message.account_id,
        message.device,
        message.message_id,
        message.cause,
        GIVEN_UP,
        message.came_at,
        now,
    )
    database.run(
        "DELETE FROM parked WHERE state = ?1 AND row <= (SELECT row FROM parked "
        "WHERE state = ?1 ORDER BY row DESC LIMIT 1 OFFSET ?2)",
        GIVEN_UP,
        GIVEN_UP_KEPT_MAX,
    )


def is_waiting(database: Database, entry: Entry) -> bool:
    """Tell whether an entry was parked before and still waits."""
    found = row(
        database,
        "SELECT 1 FROM parked WHERE account_id = ? AND device = ? AND message_id = ? AND state = ?",
        entry.sender,
        entry.sender_device,
        entry.message_id,
        WAITING,
    )
    return found is not None


def waiting_from(database: Database, account_id: AccountId) -> list[Parked]:
    """Return parked mail that waits for an account's list, oldest first."""
    return [
        Parked(number, codec.decode(entry, Entry, size_max=FRAME_MAX), UnixMillis(parked_at))
        for number, entry, parked_at in database.rows(
            "SELECT row, entry, parked_at FROM parked WHERE account_id = ? AND state = ? "
            "ORDER BY row",
            account_id,
            WAITING,
        )
    ]


def remove(database: Database, number: int) -> None:
    """Forget a parked entry: it has ended, one way or another."""
    database.run("DELETE FROM parked WHERE row = ?", number)


def waiting_accounts(database: Database) -> list[AccountId]:
    """Return accounts whose list is waited for."""
    return [
        AccountId(account)
        for (account,) in database.rows(
            "SELECT DISTINCT account_id FROM parked WHERE state = ? ORDER BY account_id", WAITING
        )
    ]


def waiting_count(database: Database, account_id: AccountId) -> int:
    """Return how many entries of one account wait."""
    found = row(
        database,
        "SELECT count(*) FROM parked WHERE account_id = ? AND state = ?",
        account_id,
        WAITING,
    )
    assert found is not None
    return int(found[0])


def waiting_total(database: Database) -> tuple[int, int]:
    """Return how many entries wait in all, and their bytes."""
    found = row(
        database,
        "SELECT count(*), coalesce(sum(length(entry)), 0) FROM parked WHERE state = ?",
        WAITING,
    )
    assert found is not None
    return int(found[0]), int(found[1])


def parked_before(database: Database, time: UnixMillis) -> list[Parked]:
    """Return waiting entries parked before ``time``, oldest first."""
    return [
        Parked(number, codec.decode(entry, Entry, size_max=FRAME_MAX), UnixMillis(parked_at))
        for number, entry, parked_at in database.rows(
            "SELECT row, entry, parked_at FROM parked WHERE state = ? AND parked_at < ? "
            "ORDER BY row",
            WAITING,
            time,
        )
    ]


def count_given_up_between(
    database: Database,
    account_id: AccountId,
    device: DeviceNumber,
    first: UnixMillis,
    last: UnixMillis,
) -> int:
    """Return how many entries of a device came in a time and could not be opened."""
    found = row(
        database,
        "SELECT count(*) FROM parked WHERE account_id = ? AND device = ? AND state = ? "
        "AND parked_at BETWEEN ? AND ?",
        account_id,
        device,
        GIVEN_UP,
        first,
        last,
    )
    assert found is not None
    return int(found[0])


def forget_given_up(database: Database, before: UnixMillis) -> None:
    """Forget what could not be opened and was told long ago."""
    database.run(
        "DELETE FROM parked WHERE state = ? AND max(parked_at, given_up_at) < ?", GIVEN_UP, before
    )


def count_given_up(database: Database) -> int:
    """Return how many messages could not be opened at all."""
    found = row(database, "SELECT count(*) FROM parked WHERE state = ?", GIVEN_UP)
    assert found is not None
    return int(found[0])
