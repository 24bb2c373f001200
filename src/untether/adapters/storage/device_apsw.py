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

from untether.adapters.storage.sqlite_database import (
    SETTINGS,
    UNWRITABLE_CODES,
    SqliteDatabase,
    platform_error,
)
from untether.base.errors import PlatformError
from untether.base.limits import DATABASE_BUSY_MS
from untether.base.secret_bytes import SecretBytes
from untether.device.store.database import Row, SqlValue

DATABASE_KEY_LENGTH: Final = 32
_FLAGS: Final = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
_WITHOUT_LOCKS: Final = "multipleciphers-unix-none"


class ApswDeviceDatabase(SqliteDatabase):
    """One connection to an encrypted database file; used by one thread at a time."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(
        cls, path: Path, key: SecretBytes, *, busy_ms: int = DATABASE_BUSY_MS
    ) -> ApswDeviceDatabase:
        """Open or create the file; PlatformError ``database-key-wrong`` for another key.

        Where nothing can be written, a file that is there is opened for reading only.
        """
        if len(key) != DATABASE_KEY_LENGTH:
            # SQLite3 Multiple Ciphers would take a raw key of another length for a passphrase.
            raise ValueError(f"a database key has {DATABASE_KEY_LENGTH} bytes")
        try:
            _create_private(path)
            return cls._connected(path.absolute().as_uri(), key, busy_ms)
        except PlatformError as error:
            if error.code not in UNWRITABLE_CODES or not os.access(path, os.R_OK):
                raise
            reader = cls._connected(_for_reading(path), key, busy_ms, index_in_memory=True)
            reader.unwritable = error
            return reader

    @classmethod
    def _connected(
        cls, uri: str, key: SecretBytes, busy_ms: int, *, index_in_memory: bool = False
    ) -> ApswDeviceDatabase:
        with _platform_errors():
            database = cls(apsw.Connection(uri, _FLAGS))
            try:
                database._connection.set_busy_timeout(busy_ms)
                if index_in_memory:
                    database._connection.pragma("locking_mode", "EXCLUSIVE")
                database._set_up(key)
            except BaseException:
                database.close()
                raise
        return database

    def _set_up(self, key: SecretBytes) -> None:
        self._connection.pragma("cipher", "chacha20")
        self._connection.pragma("key", f"raw:{key.hex()}")
        self.rows("SELECT count(*) FROM sqlite_schema")
        self.script(SETTINGS)

    @property
    def _in_transaction(self) -> bool:
        return self._connection.in_transaction

    def run(self, sql: str, *parameters: SqlValue) -> int:
        """See the port."""
        self._check_nothing_failed()
        try:
            before = self._connection.total_changes()
            self._connection.execute(sql, parameters).fetchall()
            unchanged = self._connection.total_changes() == before
            return 0 if unchanged else self._connection.changes()
        except apsw.Error as error:
            raise self._failed(_translated(error)) from error

    def rows(self, sql: str, *parameters: SqlValue) -> list[Row]:
        """See the port."""
        self._check_nothing_failed()
        try:
            return cast("list[Row]", self._connection.execute(sql, parameters).fetchall())
        except apsw.Error as error:
            raise self._failed(_translated(error)) from error

    def many(self, sql: str, parameter_rows: Iterable[Sequence[SqlValue]]) -> None:
        """See the port."""
        self._check_nothing_failed()
        try:
            self._connection.executemany(sql, parameter_rows).fetchall()
        except apsw.Error as error:
            raise self._failed(_translated(error)) from error

    def script(self, sql: str) -> None:
        """See the port."""
        self._check_nothing_failed()
        try:
            self._connection.execute(sql).fetchall()
        except apsw.Error as error:
            raise self._failed(_translated(error)) from error

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
        if error.errno == errno.ENOSPC:
            raise platform_error(apsw.SQLITE_FULL, str(error), encrypted=True) from error
        raise PlatformError(
            "io-error",
            f"The device's database can't be opened for writing: {error.strerror}.",
            "Check the disk, and that the profile directory belongs to you and is writable.",
        ) from error


def _for_reading(path: Path) -> str:
    """Return the URI by which SQLite opens a file where it can't write.

    Without room only the index of the log is missing, and who has the file alone can keep that
    in memory. Where writing is forbidden nobody changes the file, so there is nobody to lock
    out: a log that a crash left is read, and without one the file is all there is.
    """
    uri = path.absolute().as_uri()
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return uri
    log = path.with_name(f"{path.name}-wal")
    has_log = os.access(log, os.R_OK) and log.stat().st_size > 0
    return f"{uri}?mode=ro&" + (f"vfs={_WITHOUT_LOCKS}" if has_log else "immutable=1")


def _translated(error: apsw.Error) -> PlatformError:
    code = getattr(error, "extendedresult", apsw.SQLITE_ERROR)
    return platform_error(code, str(error), encrypted=True)


@contextmanager
def _platform_errors() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        raise _translated(error) from error
