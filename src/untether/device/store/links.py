"""Rows of links under way, on either side (spec 03, "Phone" and "Companion").

The machines of :mod:`untether.protocol.linking` are stored as they are, by the slot that their
items go through. A companion may have two: a screen renews its code while the one before it
may still be answered.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from untether.base.identifiers import DeviceNumber, SlotId, UnixMillis
from untether.device.store import heads
from untether.device.store.database import Database, Row, row
from untether.protocol.linking.companion import CompanionLink
from untether.protocol.linking.phone import PhoneLink
from untether.wire.link_offer import CompanionKind
from untether.wire.records import ListHead

_COMPANION_LINKS: Final = (
    "SELECT slot_id, link, device_name, device_kind, device_platform FROM companion_links"
)
_PHONE_LINKS: Final = "SELECT slot_id, link, ends_at, answered_head FROM phone_links"


class CompanionRow(Struct, frozen=True):
    """A link of this device as the new one, and what it calls itself."""

    slot_id: SlotId
    link: CompanionLink
    device_name: str
    device_kind: CompanionKind
    device_platform: str


class PhoneRow(Struct, frozen=True):
    """A link of this phone with a new device; ``answered_head`` names the list it was shown."""

    slot_id: SlotId
    link: PhoneLink
    ends_at: UnixMillis
    answered_head: ListHead | None = None


def companion_links(database: Database) -> list[CompanionRow]:
    """Return this device's own links, oldest first."""
    return [_companion(found) for found in database.rows(f"{_COMPANION_LINKS} ORDER BY row")]


def companion_link(database: Database, slot_id: SlotId) -> CompanionRow | None:
    """Return the own link through a slot."""
    found = row(database, f"{_COMPANION_LINKS} WHERE slot_id = ?", slot_id)
    return None if found is None else _companion(found)


def save_companion(database: Database, stored: CompanionRow) -> None:
    """Store an own link, new or moved on."""
    database.run(
        "INSERT INTO companion_links (slot_id, link, device_name, device_kind, device_platform) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (slot_id) DO UPDATE SET link = excluded.link",
        stored.slot_id,
        stored.link.to_bytes(),
        stored.device_name,
        stored.device_kind,
        stored.device_platform,
    )


def phone_links(database: Database) -> list[PhoneRow]:
    """Return this phone's links, oldest first."""
    return [_phone(found) for found in database.rows(f"{_PHONE_LINKS} ORDER BY row")]


def phone_link(database: Database, slot_id: SlotId) -> PhoneRow | None:
    """Return the phone's link through a slot."""
    found = row(database, f"{_PHONE_LINKS} WHERE slot_id = ?", slot_id)
    return None if found is None else _phone(found)


def save_phone(database: Database, stored: PhoneRow) -> None:
    """Store a link of the phone, new or moved on."""
    database.run(
        "INSERT INTO phone_links (slot_id, link, ends_at, answered_head) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (slot_id) DO UPDATE SET link = excluded.link, ends_at = excluded.ends_at, "
        "answered_head = excluded.answered_head",
        stored.slot_id,
        stored.link.to_bytes(),
        stored.ends_at,
        heads.to_column(stored.answered_head),
    )


def remove(database: Database, slot_id: SlotId) -> None:
    """Forget a link with its secrets: it is finished, or has ended."""
    database.run("DELETE FROM companion_links WHERE slot_id = ?", slot_id)
    database.run("DELETE FROM phone_links WHERE slot_id = ?", slot_id)


def keep_only(database: Database, slot_id: SlotId) -> None:
    """Forget this device's other links: the one through this slot was taken up."""
    database.run("DELETE FROM companion_links WHERE slot_id <> ?", slot_id)


def consume_number(database: Database, number: DeviceNumber) -> None:
    """Give out a device number for ever, before the account key signs for it."""
    database.run("INSERT INTO consumed_numbers VALUES (?)", number)


def highest_consumed(database: Database) -> DeviceNumber | None:
    """Return the highest number that was given out to a link, finished or not."""
    found = row(database, "SELECT max(number) FROM consumed_numbers")
    return None if found is None or found[0] is None else DeviceNumber(found[0])


def _companion(found: Row) -> CompanionRow:
    slot_id, link, *description = found
    return CompanionRow(SlotId(slot_id), CompanionLink.from_bytes(link), *description)


def _phone(found: Row) -> PhoneRow:
    slot_id, link, ends_at, head = found
    return PhoneRow(
        slot_id=SlotId(slot_id),
        link=PhoneLink.from_bytes(link),
        ends_at=UnixMillis(ends_at),
        answered_head=heads.from_column(head),
    )
