"""The device's database over Python's own ``sqlite3`` (spec 09, "Encryption").

For the browser, whose file layer encrypts below SQLite, and for databases in memory. The file
itself is not encrypted here, so native profiles never use it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Final, Self, cast

from untether.adapters.storage.sqlite_database import SETTINGS, SqliteDatabase, platform_error
from untether.base.errors import PlatformError
from untether.base.limits import DATABASE_BUSY_MS
from untether.device.store.database import Row, SqlValue

IN_MEMORY: Final = ":memory:"

STATEMENTS_KEPT: Final = 512
"""Prepared statements of one connection: more than the device has (about 250)."""


class Sqlite3DeviceDatabase(SqliteDatabase):
    """One connection to an unencrypted database; used by one thread at a time."""

    _settings = SETTINGS

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        """Runs one statement after the other; each is read to its end at once."""

    @classmethod
    def open(cls, path: str = IN_MEMORY, *, busy_ms: int = DATABASE_BUSY_MS) -> Self:
        """Open or create the file, or a database in memory; ``path`` may be a ``file:`` URI."""
        with _platform_errors():
            # No isolation level: this class says BEGIN itself, Python must not.
            database = cls(
                sqlite3.connect(
                    path,
                    timeout=busy_ms / 1000,
                    isolation_level=None,
                    check_same_thread=False,
                    cached_statements=STATEMENTS_KEPT,
                    uri=path.startswith("file:"),
                )
            )
            try:
                database.script(cls._settings)
            except BaseException:
                database.close()
                raise
        return database

    @property
    def _in_transaction(self) -> bool:
        return self._connection.in_transaction

    def run(self, sql: str, *parameters: SqlValue) -> int:
        """See the port."""
        self._check_nothing_failed()
        try:
            before = self._connection.total_changes
            cursor = self._cursor.execute(sql, parameters)
            cursor.fetchall()
            if cursor.rowcount >= 0 or self._connection.total_changes == before:
                return max(cursor.rowcount, 0)  # Python counts what begins with a known verb
            return cast("int", self._cursor.execute("SELECT changes()").fetchone()[0])
        except sqlite3.Error as error:
            raise self._failed(_translated(error)) from error

    def rows(self, sql: str, *parameters: SqlValue) -> list[Row]:
        """See the port."""
        self._check_nothing_failed()
        try:
            return self._cursor.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._failed(_translated(error)) from error

    def many(self, sql: str, parameter_rows: Iterable[Sequence[SqlValue]]) -> None:
        """See the port."""
        self._check_nothing_failed()
        try:
            self._connection.executemany(sql, parameter_rows)
        except sqlite3.Error as error:
            raise self._failed(_translated(error)) from error

    def script(self, sql: str) -> None:
        """See the port; ``executescript`` would commit first, so statements go one by one."""
        self._check_nothing_failed()
        try:
            for statement in _statements(sql):
                self._cursor.execute(statement).fetchall()
        except sqlite3.Error as error:
            raise self._failed(_translated(error)) from error

    def close(self) -> None:
        """See the port."""
        with _platform_errors():
            self._connection.close()


@lru_cache(maxsize=64)
def _statements(script: str) -> tuple[str, ...]:
    """Split at the semicolons that end a statement, not at those inside texts or triggers."""
    statements = []
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            statements.append(statement)
            statement = ""
    if statement.strip(" \n;"):
        statements.append(statement)
    return tuple(statements)


def _translated(error: sqlite3.Error) -> PlatformError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return platform_error(code, str(error), encrypted=False)


@contextmanager
def _platform_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(error) from error
