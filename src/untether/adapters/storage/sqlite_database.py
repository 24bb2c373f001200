"""What both SQLite adapters of the device share (spec 09, "Transactions", "Failures").

Settings, transactions and savepoints are written here once; so is the table that turns SQLite's
result codes into errors that say what happened and what to do next.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from untether.base.errors import PlatformError

SETTINGS: Final = """
    PRAGMA temp_store = MEMORY;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
"""
"""Of every connection; the page says why each of them."""


class _Failure(NamedTuple):
    code: str
    message: str
    hint: str


_LOCKED: Final = _Failure(
    "database-locked",
    "Another process keeps the device's database busy.",
    "Try again in a moment; end other Untether processes of this profile if it lasts.",
)
_INPUT_OUTPUT: Final = _Failure(
    "io-error",
    "The device's database can't be read or written.",
    "Check the disk, and that the profile directory belongs to you and is writable.",
)
_CORRUPT: Final = _Failure(
    "database-corrupt",
    "The device's database is damaged.",
    "Put the profile back from a copy, or link this device again.",
)
_FULL: Final = _Failure(
    "disk-full", "The disk is full; nothing was changed.", "Free some space, then try again."
)
_KEY_WRONG: Final = _Failure(
    "database-key-wrong",
    "The key does not open the device's database.",
    "The database belongs to another profile, or its beginning is damaged.",
)

UNWRITABLE_CODES: Final = (_FULL.code, _INPUT_OUTPUT.code)
"""What opening says where it can't write; reading may still go."""

SQLITE_FULL: Final = 13
_FAILURES: Final = {
    3: _INPUT_OUTPUT,  # SQLITE_PERM
    5: _LOCKED,  # SQLITE_BUSY
    6: _LOCKED,  # SQLITE_LOCKED
    8: _INPUT_OUTPUT,  # SQLITE_READONLY
    10: _INPUT_OUTPUT,  # SQLITE_IOERR
    11: _CORRUPT,  # SQLITE_CORRUPT
    SQLITE_FULL: _FULL,
    14: _INPUT_OUTPUT,  # SQLITE_CANTOPEN
    26: _CORRUPT,  # SQLITE_NOTADB
}
_NOT_A_DATABASE: Final = 26
_NO_ROOM_FOR_THE_INDEX: Final = 10 | 19 << 8
"""SQLITE_IOERR_SHMSIZE: the index of the write-ahead log could not grow."""


def platform_error(result_code: int, message: str, *, encrypted: bool) -> PlatformError:
    """Return the error for a SQLite result code; extended codes count as their primary one.

    With encryption a wrong key looks like a file that is no database at all. A disk without
    room for the index of the log is full, though SQLite counts that among failed reads.
    """
    primary = result_code & 0xFF
    failure = _KEY_WRONG if encrypted and primary == _NOT_A_DATABASE else _FAILURES.get(primary)
    if result_code == _NO_ROOM_FOR_THE_INDEX:
        failure = _FULL
    if failure is None:
        return PlatformError(
            "database-statement",
            f"The device's database refused a statement: {message}.",
            "This is a defect of Untether; please report it.",
            sqlite_code=result_code,
        )
    return PlatformError(*failure, sqlite_code=result_code)


class SqliteDatabase(ABC):
    """Transactions and savepoints over the statements that a subclass runs.

    SQLite ends a transaction by itself after some failures (a full disk); what is said next
    would be committed alone. So after one statement has failed, all that follow it in its
    transaction fail in the same way, whoever has passed over the error.
    """

    unwritable: PlatformError | None = None
    """Why nothing can be written, in a database that was opened for reading only."""

    _is_open = False
    """Whether a transaction is under way here, whatever SQLite has made of it."""

    _failure: PlatformError | None = None
    """What has failed in it."""

    @abstractmethod
    def script(self, sql: str) -> None:
        """See the port."""

    @property
    @abstractmethod
    def _in_transaction(self) -> bool:
        """Whether SQLite has a transaction open; some failures end it by themselves."""

    def _check_nothing_failed(self) -> None:
        """Raise what has failed in this transaction; said before every statement."""
        if self._failure is not None:
            raise self._failure

    def _failed(self, failure: PlatformError) -> PlatformError:
        """Remember a failure for the rest of its transaction; returns it to be raised."""
        self._failure = failure if self._is_open else None
        return failure

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE, so that a reader never has to turn into a writer half-way."""
        if self.unwritable is not None:
            raise self.unwritable
        self.script("BEGIN IMMEDIATE")
        self._is_open = True
        try:
            yield
            self.script("COMMIT")
        except BaseException:
            self._failure = None
            if self._in_transaction:
                self.script("ROLLBACK")
            raise
        finally:
            self._is_open = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """See the port; there is nothing to commit, and a full disk is no hindrance."""
        self.script("BEGIN; PRAGMA query_only = ON")
        try:
            yield
        finally:
            if self._in_transaction:
                self.script("ROLLBACK")
            self.script("PRAGMA query_only = OFF")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """See the port; nested ones share a name, SQLite takes the innermost."""
        self.script("SAVEPOINT step")
        try:
            yield
            self.script("RELEASE step")
        except BaseException:
            if self._in_transaction and self._failure is None:
                self.script("ROLLBACK TO step; RELEASE step")
            raise
