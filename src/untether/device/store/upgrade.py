"""Numbered upgrades of the device's database (spec 09, "Upgrades").

An upgrade is a file ``upgrades/NNNN-name.sql`` whose first line is ``-- Lowest version of the
program that can use this database: N.``, where a program's version is the number of upgrades
it knows: one that knows fewer than N must not open a database after this upgrade.
``PRAGMA user_version`` counts the upgrades done; the table ``upgrade_done`` remembers them, so
that an older program can read the bound of a newer database.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from untether.base.errors import PlatformError
from untether.device.store.database import Database, DeviceDatabase, row

_FILE_NAME: Final = re.compile(r"(\d{4})-([a-z0-9-]+)\.sql")
_FIRST_LINE: Final = re.compile(
    r"-- Lowest version of the program that can use this database: (\d+)\.\n"
)
_UPGRADE_DONE: Final = """
    CREATE TABLE IF NOT EXISTS upgrade_done (
        version INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        lowest_compatible INTEGER NOT NULL
    ) STRICT
"""


class Upgrade(Struct, frozen=True):
    """One step of the schema: from ``version - 1`` to ``version``."""

    version: int
    name: str
    lowest_compatible: int
    sql: str

    @classmethod
    def parse(cls, file_name: str, sql: str) -> Upgrade:
        """Read a file's name and first line; ValueError when it is not an upgrade."""
        named, headed = _FILE_NAME.fullmatch(file_name), _FIRST_LINE.match(sql)
        if not named or not headed:
            raise ValueError(f"{file_name} is not an upgrade: check its name and first line")
        version, lowest_compatible = int(named[1]), int(headed[1])
        if not 1 <= lowest_compatible <= version:
            raise ValueError(f"{file_name} names an impossible lowest compatible version")
        return cls(version, named[2], lowest_compatible, sql)


def packaged_upgrades() -> list[Upgrade]:
    """Return the upgrades that this release ships, in order and without a gap."""
    folder = Path(__file__).with_name("upgrades")
    upgrades = [
        Upgrade.parse(file.name, file.read_text(encoding="utf-8"))
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".sql")
    ]
    check_numbering(upgrades)
    return upgrades


def check_numbering(upgrades: Sequence[Upgrade]) -> None:
    """Raise ValueError unless the versions count from 1 without a gap or a double."""
    versions = [upgrade.version for upgrade in upgrades]
    if versions != list(range(1, len(upgrades) + 1)):
        raise ValueError(f"the upgrades are numbered {versions}, with a gap or a double")


def bring_up_to_date(database: DeviceDatabase, upgrades: Sequence[Upgrade]) -> None:
    """Apply the upgrades that are missing, all or none; PlatformError ``database-newer``."""
    if _version(database) == len(upgrades):
        return
    with database.transaction():
        version = _version(database)  # again: another process may have upgraded meanwhile
        if version > len(upgrades):
            _refuse_incompatible(database, version, known=len(upgrades))
            return
        database.script(_UPGRADE_DONE)
        for upgrade in upgrades[version:]:
            _apply(database, upgrade)


def _version(database: Database) -> int:
    return int(database.rows("PRAGMA user_version")[0][0])


def _apply(database: Database, upgrade: Upgrade) -> None:
    database.script(upgrade.sql)
    database.run(
        "INSERT INTO upgrade_done (version, name, lowest_compatible) VALUES (?, ?, ?)",
        upgrade.version,
        upgrade.name,
        upgrade.lowest_compatible,
    )
    database.script(f"PRAGMA user_version = {upgrade.version}")


def _refuse_incompatible(database: Database, version: int, *, known: int) -> None:
    found = row(database, "SELECT lowest_compatible FROM upgrade_done WHERE version = ?", version)
    lowest_compatible = int(found[0]) if found else version
    if lowest_compatible > known:
        raise PlatformError(
            "database-newer",
            "A newer release of Untether has upgraded this profile.",
            "Install that release or a later one.",
            database_version=version,
            known_version=known,
        )
