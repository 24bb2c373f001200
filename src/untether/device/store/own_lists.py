"""Rows of the own account's chain of lists, complete on every own device (spec 02, "Order")."""

from __future__ import annotations

from collections.abc import Iterable

from untether.device.store.database import Database, row
from untether.protocol.identity.device_list import DeviceList
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


def unpublished(database: Database) -> list[SignedObject]:
    """Return lists that the relay has not confirmed, ascending."""
    return _signed(
        database.rows(
            "SELECT body, signature FROM own_lists WHERE published = 0 ORDER BY generation, version"
        )
    )


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


def mark_unpublished(database: Database, after_head: ListHead) -> None:
    """The relay lacks all lists after ``after_head``."""
    database.run(
        "UPDATE own_lists SET published = 0 WHERE (generation, version) > (?, ?)",
        after_head.generation,
        after_head.version,
    )


def _signed(rows: Iterable[tuple[bytes, bytes]]) -> list[SignedObject]:
    return [SignedObject(body=body, signature=signature) for body, signature in rows]
