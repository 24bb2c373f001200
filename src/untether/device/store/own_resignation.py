"""The row of this device's own resignation, until the relay has it (spec 02, "Resignation")."""

from __future__ import annotations

from untether.device.store.database import Database, row
from untether.wire.records import SignedObject


def save(database: Database, signed: SignedObject) -> None:
    """Keep the resignation before it leaves."""
    database.run(
        "INSERT OR REPLACE INTO own_resignation VALUES (1, ?, ?)", signed.body, signed.signature
    )


def load(database: Database) -> SignedObject | None:
    """Return the resignation on its way, or None."""
    found = row(database, "SELECT body, signature FROM own_resignation")
    return None if found is None else SignedObject(body=found[0], signature=found[1])
