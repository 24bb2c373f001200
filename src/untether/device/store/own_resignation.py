"""The row of this device's own resignation, until the relay has it (spec 02, "Resignation")."""

from __future__ import annotations

from untether.device.store.database import Database, row
from untether.wire.records import SignedObject


def save(database: Database, signed: SignedObject, *, wipe: bool) -> None:
    """Keep the resignation before it leaves, and whether messages go with the keys."""
    database.run(
        "INSERT OR REPLACE INTO own_resignation (only_row, body, signature, wipe) "
        "VALUES (1, ?, ?, ?)",
        signed.body,
        signed.signature,
        wipe,
    )


def load(database: Database) -> SignedObject | None:
    """Return the resignation on its way, or None."""
    found = row(database, "SELECT body, signature FROM own_resignation")
    return None if found is None else SignedObject(body=found[0], signature=found[1])


def wants_wipe(database: Database) -> bool:
    """Tell whether the owner resigned this device with its messages."""
    return row(database, "SELECT 1 FROM own_resignation WHERE wipe = 1") is not None
