"""The device's database natively: SQLite with encrypted pages (spec 09, "Encryption").

SQLite3 Multiple Ciphers seals each page, of the database and of its write-ahead log, with
ChaCha20-Poly1305 under a raw key of 32 bytes. Temporary tables stay in memory, because
temporary files would not be sealed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

import apsw

from untether.adapters.storage.sqlite_database import SETTINGS, SqliteDatabase, platform_error
from untether.base.limits import DATABASE_BUSY_MS
from untether.base.secret_bytes import SecretBytes
from untether.device.store.database import Row, SqlValue

DATABASE_KEY_LENGTH: Final = 32


class ApswDeviceDatabase(SqliteDatabase):
    """One connection to an encrypted database file; used by one thread at a time."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(
        cls, path: Path, key: SecretBytes, *, busy_ms: int = DATABASE_BUSY_MS
    ) -> ApswDeviceDatabase:
        """Open or create the file; PlatformError ``database-key-wrong`` for another key."""
        if len(key) != DATABASE_KEY_LENGTH:
            # SQLite3 Multiple Ciphers would take a raw key of another length for a passphrase.
            raise ValueError(f"a database key has {DATABASE_KEY_LENGTH} bytes")
        _create_private(path)
        with _platform_errors():
            database = cls(apsw.Connection(str(path)))
            try:
                database._set_up(key, busy_ms)
            except BaseException:
                database.close()
                raise
        return database

    def _set_up(self, key: SecretBytes, busy_ms: int) -> None:
        self._connection.set_busy_timeout(busy_ms)
        self._connection.pragma("cipher", "chacha20")
        self._connection.pragma("key", f"raw:{key.hex()}")
        self.rows("SELECT count(*) FROM sqlite_schema")
        self.script(SETTINGS)

    @property
    def _in_transaction(self) -> bool:
        return self._connection.in_transaction

    def run(self, sql: str, *parameters: SqlValue) -> int:
        """See the port."""
        with _platform_errors():
            before = self._connection.total_changes()
            self._connection.execute(sql, parameters).fetchall()
            unchanged = self._connection.total_changes() == before
            return 0 if unchanged else self._connection.changes()

    def rows(self, sql: str, *parameters: SqlValue) -> list[Row]:
        """See the port."""
        with _platform_errors():
            return cast("list[Row]", self._connection.execute(sql, parameters).fetchall())

    def many(self, sql: str, parameter_rows: Iterable[Sequence[SqlValue]]) -> None:
        """See the port."""
        with _platform_errors():
            self._connection.executemany(sql, parameter_rows).fetchall()

    def script(self, sql: str) -> None:
        """See the port."""
        with _platform_errors():
            self._connection.execute(sql).fetchall()

    def close(self) -> None:
        """See the port."""
        with _platform_errors():
            self._connection.close()


def _create_private(path: Path) -> None:
    """Create the file as 0600 before SQLite does; log and index files take the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as error:
        code = apsw.SQLITE_FULL if error.errno == errno.ENOSPC else apsw.SQLITE_CANTOPEN
        raise platform_error(code, str(error), encrypted=True) from error


@contextmanager
def _platform_errors() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        code = getattr(error, "result", apsw.SQLITE_ERROR)
        raise platform_error(code, str(error), encrypted=True) from error
