"""Rows of what travels to the relay together with an own list (spec 02, "Making lists").

A list that adds a companion brings its prekeys, and one that removes a device may bring an
order to wipe it. Both stay here until the relay has confirmed the list.
"""

from __future__ import annotations

from msgspec import Struct

from untether.base.identifiers import DeviceNumber
from untether.base.limits import FRAME_MAX
from untether.device.store.database import Database, Row, row
from untether.wire import codec
from untether.wire.records import ListHead, PrekeyStock, SignedObject


class Publication(Struct, frozen=True):
    """A device that a list adds with its prekeys, or one that it logs out."""

    added: DeviceNumber | None = None
    prekeys: PrekeyStock | None = None
    removed: DeviceNumber | None = None
    wipe_order: SignedObject | None = None


def add(database: Database, head: ListHead, publication: Publication) -> None:
    """Keep what is to travel with a list."""
    database.run(
        "INSERT INTO publications VALUES (?, ?, ?, ?, ?, ?)",
        head.generation,
        head.version,
        publication.added,
        None if publication.prekeys is None else codec.encode(publication.prekeys),
        publication.removed,
        None if publication.wipe_order is None else codec.encode(publication.wipe_order),
    )


def find(database: Database, head: ListHead) -> Publication | None:
    """Return what travels with a list."""
    found = row(
        database,
        "SELECT added, prekeys, removed, wipe_order FROM publications "
        "WHERE generation = ? AND version = ?",
        head.generation,
        head.version,
    )
    return None if found is None else _publication(found)


def take(database: Database, up_to: ListHead) -> list[Publication]:
    """Return and forget what travelled with all lists up to ``up_to``."""
    where = "WHERE (generation, version) <= (?, ?)"
    found = database.rows(
        f"SELECT added, prekeys, removed, wipe_order FROM publications {where} "  # noqa: S608
        "ORDER BY generation, version",
        up_to.generation,
        up_to.version,
    )
    database.run(f"DELETE FROM publications {where}", up_to.generation, up_to.version)  # noqa: S608
    return [_publication(each) for each in found]


def take_given_up(database: Database) -> list[Publication]:
    """Return and forget what was to travel with lists that are not to be published any more."""
    where = (
        "WHERE NOT EXISTS (SELECT 1 FROM own_lists AS own WHERE own.published = 0 "
        "AND (own.generation, own.version) = (publications.generation, publications.version))"
    )
    found = database.rows(
        f"SELECT added, prekeys, removed, wipe_order FROM publications {where} "  # noqa: S608
        "ORDER BY generation, version"
    )
    database.run(f"DELETE FROM publications {where}")  # noqa: S608
    return [_publication(each) for each in found]


def _publication(found: Row) -> Publication:
    added, prekeys, removed, wipe_order = found
    return Publication(
        added=None if added is None else DeviceNumber(added),
        prekeys=None if prekeys is None else codec.decode(prekeys, PrekeyStock, size_max=FRAME_MAX),
        removed=None if removed is None else DeviceNumber(removed),
        wipe_order=None
        if wipe_order is None
        else codec.decode(wipe_order, SignedObject, size_max=FRAME_MAX),
    )
