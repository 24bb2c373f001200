"""Upgrades of the device's database (spec 09, "Upgrades")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from untether.adapters.storage.device_sqlite3 import Sqlite3DeviceDatabase
from untether.base.errors import PlatformError
from untether.device.store.upgrade import (
    Upgrade,
    bring_up_to_date,
    check_numbering,
    packaged_upgrades,
)


def upgrade(version: int, sql: str, lowest: int = 1) -> Upgrade:
    """Return an upgrade as its file would give it."""
    first_line = f"-- Lowest version of the program that can use this database: {lowest}.\n"
    return Upgrade.parse(f"{version:04}-step.sql", first_line + sql)


TABLE = upgrade(1, "CREATE TABLE notes (id INTEGER PRIMARY KEY) STRICT;")
COLUMN = upgrade(2, "ALTER TABLE notes ADD COLUMN text TEXT;")
BREAKING = upgrade(3, "ALTER TABLE notes RENAME TO letters;", lowest=3)
BROKEN = upgrade(3, "CREATE TABLE more (id INTEGER) STRICT; INSERT INTO nowhere VALUES (1);")


@pytest.fixture
def database() -> Iterator[Sqlite3DeviceDatabase]:
    """Return an empty database in memory."""
    opened = Sqlite3DeviceDatabase.open()
    yield opened
    opened.close()


def version(database: Sqlite3DeviceDatabase) -> int:
    """Return the number of upgrades done."""
    return int(database.rows("PRAGMA user_version")[0][0])


def test_upgrades_apply_once_and_in_order(database: Sqlite3DeviceDatabase) -> None:
    """A database grows step by step, keeps its rows, and remembers each step."""
    bring_up_to_date(database, [TABLE])
    database.run("INSERT INTO notes VALUES (7)")
    for _ in range(2):
        bring_up_to_date(database, [TABLE, COLUMN, BREAKING])
    assert database.rows("SELECT id, text FROM letters") == [(7, None)]
    assert version(database) == 3
    assert database.rows("SELECT * FROM upgrade_done ORDER BY version") == [
        (1, "step", 1),
        (2, "step", 1),
        (3, "step", 3),
    ]


def test_a_failing_upgrade_undoes_all_of_them(database: Sqlite3DeviceDatabase) -> None:
    """The database stays at the version that the old release can still use."""
    bring_up_to_date(database, [TABLE])
    with pytest.raises(PlatformError):
        bring_up_to_date(database, [TABLE, COLUMN, BROKEN])
    assert version(database) == 1
    names = database.rows("SELECT name FROM sqlite_schema WHERE name IN ('notes', 'more')")
    assert names == [("notes",)]
    assert database.rows("SELECT name FROM pragma_table_info('notes')") == [("id",)]


def test_an_older_program_uses_a_compatible_database(database: Sqlite3DeviceDatabase) -> None:
    """A newer database that says so is used and left as it is."""
    bring_up_to_date(database, [TABLE, COLUMN])
    bring_up_to_date(database, [TABLE])
    assert version(database) == 2


def test_an_older_program_refuses_an_incompatible_database(
    database: Sqlite3DeviceDatabase,
) -> None:
    """The message names both versions; nothing is touched."""
    bring_up_to_date(database, [TABLE, COLUMN, BREAKING])
    with pytest.raises(PlatformError) as refused:
        bring_up_to_date(database, [TABLE, COLUMN])
    assert refused.value.code == "database-newer"
    assert refused.value.details == {"database_version": 3, "known_version": 2}
    assert version(database) == 3


def test_a_newer_database_without_its_bound_is_refused(database: Sqlite3DeviceDatabase) -> None:
    """Not knowing is not being compatible."""
    bring_up_to_date(database, [TABLE, COLUMN])
    database.run("DELETE FROM upgrade_done")
    with pytest.raises(PlatformError) as refused:
        bring_up_to_date(database, [TABLE])
    assert refused.value.code == "database-newer"


def test_two_processes_upgrade_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waited for the other's upgrade looks again and does nothing."""
    first, second = (Sqlite3DeviceDatabase.open(str(tmp_path / "device.db")) for _ in range(2))
    begin = second.transaction

    def late() -> object:
        bring_up_to_date(first, [TABLE])
        return begin()

    monkeypatch.setattr(second, "transaction", late)
    bring_up_to_date(second, [TABLE])
    assert second.rows("SELECT version FROM upgrade_done") == [(1,)]
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("1-step.sql", "-- Lowest version of the program that can use this database: 1.\n"),
        ("0001-Step.sql", "-- Lowest version of the program that can use this database: 1.\n"),
        ("0001-step.sql", "CREATE TABLE notes (id INTEGER) STRICT;"),
        ("0001-step.sql", "-- Lowest version of the program that can use this database: 0.\n"),
        ("0001-step.sql", "-- Lowest version of the program that can use this database: 2.\n"),
    ],
)
def test_what_is_no_upgrade_is_refused(name: str, text: str) -> None:
    """A file with a wrong name or first line never ships."""
    with pytest.raises(ValueError, match=re.escape(name)):
        Upgrade.parse(name, text)


@pytest.mark.parametrize("steps", [[COLUMN], [TABLE, BREAKING], [TABLE, TABLE]])
def test_numbers_have_no_gap(steps: list[Upgrade]) -> None:
    """Gaps and doubles are found before anything runs."""
    with pytest.raises(ValueError, match="gap"):
        check_numbering(steps)


def test_the_shipped_upgrades(database: Sqlite3DeviceDatabase) -> None:
    """They apply to an empty database, and each table is STRICT."""
    upgrades = packaged_upgrades()
    assert upgrades
    bring_up_to_date(database, upgrades)
    assert version(database) == len(upgrades)
    loose = database.rows(
        "SELECT name FROM pragma_table_list "
        "WHERE type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%'"
    )
    assert loose == []
