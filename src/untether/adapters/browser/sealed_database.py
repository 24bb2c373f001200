"""The device's database over the sealed pages of a browser (spec 09, "In the browser").

Python's own SQLite; the worker's JavaScript seals each page below it, see ``webapp/src/engine``.
"""

from __future__ import annotations

from typing import Any, Self

from untether.adapters.storage.device_sqlite3 import Sqlite3DeviceDatabase
from untether.adapters.storage.sqlite_database import SETTINGS, SQLITE_FULL, platform_error
from untether.base.errors import PlatformError
from untether.device.store.upgrade import bring_up_to_date, packaged_upgrades


class SealedDatabase(Sqlite3DeviceDatabase):
    """One connection to the sealed database; its folder is let go of when it is closed."""

    _settings = f"PRAGMA locking_mode = EXCLUSIVE; {SETTINGS}"  # there is no shared memory
    _folder: Any = None

    @classmethod
    def open_in(cls, folder: Any) -> Self:
        """Open the database of a mounted folder, upgraded; the folder is closed if it can't be.

        Raises PlatformError ``not-durable`` where a commit does not reach the disk.
        """
        try:
            database = cls.open(f"file:{folder.path}/device.db?psow=0")
        except BaseException:
            folder.close()
            raise
        database._folder = folder
        try:
            database._check()
        except BaseException:
            database.close()
            raise
        return database

    def _check(self) -> None:
        self._folder.recovered()
        bring_up_to_date(self, packaged_upgrades())
        ((version,),) = self.rows("PRAGMA user_version")
        before = self._folder.flushes()
        with self.transaction():  # changes nothing, and is written all the same
            self.run(f"PRAGMA user_version = {version}")
        if self._folder.flushes() == before:
            raise _not_durable()

    def _failed(self, failure: PlatformError) -> PlatformError:
        """See :class:`SqliteDatabase`; what SQLite takes for a failed sync may be a full disk."""
        if failure.code == "io-error" and self._folder is not None and self._folder.is_full():
            failure = platform_error(SQLITE_FULL, "no room", encrypted=False)
        return super()._failed(failure)

    def close(self) -> None:
        """See the port."""
        super().close()
        if self._folder is not None:
            self._folder.close()
            self._folder = None


def _not_durable() -> PlatformError:
    return PlatformError(
        "not-durable",
        "This browser does not write to the disk what is committed.",
        "Use another browser, and report this: messages could be lost.",
    )
