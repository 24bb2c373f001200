"""Rows of messages that are asked for again because they can't be opened (spec 10, "Asking")."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from untether.base.identifiers import AccountId, DeviceNumber, MessageId, UnixMillis
from untether.device.store.database import Database, row


class Repair(Struct, frozen=True):
    """A message that waits to be opened; ``tries`` is how often its sender was asked."""

    row: int
    peer: int
    account_id: AccountId
    device: DeviceNumber
    message_id: MessageId
    cause: str
    accepted_at: UnixMillis
    begun_at: UnixMillis
    tries: int


_REPAIRS = (
    "SELECT row, peer, account_id, device, message_id, cause, accepted_at, begun_at, tries "
    "FROM repairs JOIN peers USING (peer) "
)


def add(
    database: Database,
    peer: int,
    message_id: MessageId,
    cause: str,
    *,
    accepted_at: UnixMillis,
    begun_at: UnixMillis,
    due_at: UnixMillis,
) -> None:
    """Begin the repair of a message; its sender is asked when it is due."""
    database.run(
        "INSERT INTO repairs (peer, message_id, cause, accepted_at, begun_at, due_at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        peer,
        message_id,
        cause,
        accepted_at,
        begun_at,
        due_at,
    )


def find(database: Database, peer: int, message_id: MessageId) -> Repair | None:
    """Return the repair of a message of a device, or None."""
    found = database.rows(f"{_REPAIRS} WHERE peer = ? AND message_id = ?", peer, message_id)
    return Repair(*found[0]) if found else None


def was_asked(database: Database, peer: int, message_id: MessageId) -> bool:
    """Tell whether a device was asked for a message that has not come yet."""
    repair = find(database, peer, message_id)
    return repair is not None and repair.tries > 0


def remove(database: Database, peer: int, message_id: MessageId) -> None:
    """End the repair of a message, if there is one."""
    database.run("DELETE FROM repairs WHERE peer = ? AND message_id = ?", peer, message_id)


def every(database: Database) -> list[Repair]:
    """Return all repairs, oldest first."""
    return [Repair(*found) for found in database.rows(f"{_REPAIRS} ORDER BY row")]


def never_asked(database: Database, begun_until: UnixMillis) -> list[Repair]:
    """Return repairs that began so long ago and that nobody was asked for, oldest first."""
    found = database.rows(f"{_REPAIRS} WHERE begun_at <= ? AND tries = 0 ORDER BY row", begun_until)
    return [Repair(*each) for each in found]


def any_of(database: Database, peer: int) -> bool:
    """Tell whether a message of a device is being repaired."""
    return row(database, "SELECT 1 FROM repairs WHERE peer = ?", peer) is not None


def peers_due(database: Database, now: UnixMillis) -> list[int]:
    """Return the devices that are to be asked for something now."""
    found = database.rows("SELECT DISTINCT peer FROM repairs WHERE due_at <= ? ORDER BY peer", now)
    return [peer for (peer,) in found]


def due_of(database: Database, peer: int, now: UnixMillis) -> list[Repair]:
    """Return the messages that a device is to be asked for now, oldest first."""
    found = database.rows(f"{_REPAIRS} WHERE peer = ? AND due_at <= ? ORDER BY row", peer, now)
    return [Repair(*each) for each in found]


def next_due(database: Database, now: UnixMillis) -> UnixMillis | None:
    """Return when the next message is due, or ends; None when nothing waits."""
    found = row(database, "SELECT min(due_at) FROM repairs WHERE due_at > ?", now)
    return None if found is None else found[0]


def first_request_due(database: Database, peer: int) -> UnixMillis | None:
    """Return when a device is to be asked for messages for the first time, or None."""
    found = row(database, "SELECT min(due_at) FROM repairs WHERE peer = ? AND tries = 0", peer)
    return None if found is None else found[0]


def asked(
    database: Database, request_id: MessageId, due_again: Sequence[tuple[Repair, UnixMillis]]
) -> None:
    """Note that messages are asked for in a request, and when each is due again."""
    database.many(
        "UPDATE repairs SET tries = tries + 1, request_id = ?, due_at = ? WHERE row = ?",
        [(request_id, due_at, repair.row) for repair, due_at in due_again],
    )


def request_waits(database: Database, peer: int) -> bool:
    """Tell whether a request to a device is still in the outbox."""
    found = row(
        database,
        "SELECT 1 FROM repairs JOIN outbox ON outbox.message_id = request_id WHERE peer = ?",
        peer,
    )
    return found is not None


def postpone(database: Database, peer: int, due_at: UnixMillis) -> None:
    """Let a device be asked later for what is due earlier; no try is counted."""
    database.run("UPDATE repairs SET due_at = ?1 WHERE peer = ?2 AND due_at < ?1", due_at, peer)


def hasten(database: Database, account_id: AccountId, due_at: UnixMillis) -> None:
    """Let the devices of an account be asked soon for what nobody has asked them for yet."""
    database.run(
        "UPDATE repairs SET due_at = min(due_at, ?) WHERE tries = 0 "
        "AND peer IN (SELECT peer FROM peers WHERE account_id = ?)",
        due_at,
        account_id,
    )


def count(database: Database) -> int:
    """Return how many messages wait to be opened."""
    return _number(database, "SELECT count(*) FROM repairs")


def count_begun_between(database: Database, peer: int, first: UnixMillis, last: UnixMillis) -> int:
    """Return how many messages of a device came in a time and wait to be opened."""
    return _number(
        database,
        "SELECT count(*) FROM repairs WHERE peer = ? AND begun_at BETWEEN ? AND ?",
        peer,
        first,
        last,
    )


def count_of_account(database: Database, account_id: AccountId) -> int:
    """Return how many messages of an account wait to be opened."""
    return _number(
        database,
        "SELECT count(*) FROM repairs JOIN peers USING (peer) WHERE account_id = ?",
        account_id,
    )


def count_of_strangers(database: Database, own: AccountId) -> int:
    """Return how many messages of people whom nobody has written to wait to be opened."""
    return _number(
        database,
        "SELECT count(*) FROM repairs JOIN peers USING (peer) WHERE account_id <> ? "
        "AND account_id NOT IN (SELECT account_id FROM contacts) AND NOT EXISTS "
        "(SELECT 1 FROM messages WHERE other = account_id AND outgoing = 1)",
        own,
    )


def _number(database: Database, sql: str, *parameters: bytes | int) -> int:
    found = row(database, sql, *parameters)
    assert found is not None
    return int(found[0])
