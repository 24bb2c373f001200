"""Rows of the own account's chain of lists (spec 02, "Order of lists" and "Publishing").

The phone that registered has all of it; any other device has the part since it joined.
"""

from __future__ import annotations

from collections.abc import Iterable

from untether.base.limits import LISTS_PER_ANSWER_MAX
from untether.device.store.database import Database, row
from untether.protocol.identity.device_list import DeviceList, device_list_hash
from untether.wire.records import ListHead, SignedObject


def add(database: Database, device_list: DeviceList, *, signed_here: bool, published: bool) -> None:
    """Keep one list of the chain; a list that is known already stays as it is."""
    database.run(
        "INSERT OR IGNORE INTO own_lists VALUES (?, ?, ?, ?, ?, ?)",
        device_list.head.generation,
        device_list.head.version,
        device_list.signed.body,
        device_list.signed.signature,
        signed_here,
        published,
    )


def unpublished(database: Database, limit: int = LISTS_PER_ANSWER_MAX) -> list[SignedObject]:
    """Return the first ``limit`` lists that the relay has not confirmed, ascending."""
    return _signed(
        database.rows(
            "SELECT body, signature FROM own_lists WHERE published = 0 "
            "ORDER BY generation, version LIMIT ?",
            limit,
        )
    )


def unpublished_places(database: Database, limit: int) -> list[tuple[ListHead, SignedObject]]:
    """Return the first ``limit`` unconfirmed lists with their places (their hash is empty)."""
    return [
        (ListHead(generation, version, b""), SignedObject(body=body, signature=signature))
        for generation, version, body, signature in database.rows(
            "SELECT generation, version, body, signature FROM own_lists WHERE published = 0 "
            "ORDER BY generation, version LIMIT ?",
            limit,
        )
    ]


def newest_published(database: Database) -> SignedObject | None:
    """Return the newest list that the relay has confirmed."""
    found = database.rows(
        "SELECT body, signature FROM own_lists WHERE published = 1 "
        "ORDER BY generation DESC, version DESC LIMIT 1"
    )
    return next(iter(_signed(found)), None)


def delete_unpublished(database: Database) -> None:
    """Forget lists that no relay will ever take."""
    database.run("DELETE FROM own_lists WHERE published = 0")


def after(database: Database, head: ListHead) -> list[SignedObject]:
    """Return the lists that follow ``head``, ascending."""
    return _signed(
        database.rows(
            "SELECT body, signature FROM own_lists WHERE (generation, version) > (?, ?) "
            "ORDER BY generation, version",
            head.generation,
            head.version,
        )
    )


def published_after(database: Database, head: ListHead) -> list[SignedObject]:
    """Return lists after ``head`` that the relay has, ascending, as many as fit one answer."""
    return _signed(
        database.rows(
            "SELECT body, signature FROM own_lists WHERE (generation, version) > (?, ?) "
            "AND published = 1 ORDER BY generation, version LIMIT ?",
            head.generation,
            head.version,
            LISTS_PER_ANSWER_MAX,
        )
    )


def with_hash(database: Database, list_hash: bytes) -> SignedObject | None:
    """Return the list of the chain that a hash names."""
    for body, signature in database.rows(
        "SELECT body, signature FROM own_lists ORDER BY generation DESC, version DESC"
    ):
        if device_list_hash(body) == list_hash:
            return SignedObject(body=body, signature=signature)
    return None


def newest(database: Database, limit: int) -> list[SignedObject]:
    """Return the newest ``limit`` lists, ascending."""
    found = database.rows(
        "SELECT body, signature FROM own_lists ORDER BY generation DESC, version DESC LIMIT ?",
        limit,
    )
    return _signed(reversed(found))


def was_signed_here(database: Database, head: ListHead) -> bool:
    """Tell whether this phone signed the list with this place in the order."""
    found = row(
        database,
        "SELECT signed_here FROM own_lists WHERE generation = ? AND version = ?",
        head.generation,
        head.version,
    )
    return found is not None and bool(found[0])


def mark_published(database: Database, up_to: ListHead) -> None:
    """The relay has all lists up to ``up_to``."""
    database.run(
        "UPDATE own_lists SET published = 1 WHERE (generation, version) <= (?, ?)",
        up_to.generation,
        up_to.version,
    )


def mark_unpublished(database: Database, after_head: ListHead) -> int:
    """The relay lacks all lists after ``after_head``; return how many it had confirmed."""
    return database.run(
        "UPDATE own_lists SET published = 0 WHERE (generation, version) > (?, ?) AND published = 1",
        after_head.generation,
        after_head.version,
    )


def _signed(rows: Iterable[tuple[bytes, bytes]]) -> list[SignedObject]:
    return [SignedObject(body=body, signature=signature) for body, signature in rows]
