"""Databases as older programs left them."""

from __future__ import annotations

from tests.world import WorldDevice

_TABLES = {7: ("repairs", "sent_again", "sent")}
_COLUMNS = {
    7: (
        ("peers", "repair_start"),
        ("peers", "requests_since"),
        ("peers", "requests"),
        ("messages", "recovered"),
        ("parked", "given_up_at"),
    ),
    8: (("peers", "asked_since"), ("peers", "asked")),
    9: (("accounts", "claim_raised_at"),),
    10: (("outbox", "explains_start"),),
    11: (("own_resignation", "wipe"),),
}
"""What came with each upgrade."""


def make_older(device: WorldDevice, version: int) -> None:
    """Take everything out of a database that came with this upgrade, or after it."""
    with device.database.transaction():
        for later in range(version, max(_COLUMNS) + 1):
            for table in _TABLES.get(later, ()):
                device.database.run(f"DROP TABLE {table}")
            for table, column in _COLUMNS[later]:
                device.database.run(f"ALTER TABLE {table} DROP COLUMN {column}")
        device.database.run("DELETE FROM upgrade_done WHERE version >= ?", version)
        [(left,)] = device.database.rows("SELECT count(*) FROM upgrade_done")
        device.database.script(f"PRAGMA user_version = {left}")
