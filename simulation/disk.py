"""A device's disk: its database in memory, which can be full, copied and put back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Self

from untether.adapters.storage.device_sqlite3 import (
    IN_MEMORY,
    STATEMENTS_KEPT,
    Sqlite3DeviceDatabase,
)
from untether.adapters.storage.sqlite_database import SETTINGS
from untether.base.errors import PlatformError
from untether.device.store.database import SqlValue
from untether.device.store.upgrade import bring_up_to_date, packaged_upgrades


class Disk(Sqlite3DeviceDatabase):
    """A database whose next write may find the disk full."""

    writes_left: int | None = None

    @classmethod
    def unused(cls) -> Self:
        """Return the database of an unused profile; made once, copied for each device."""
        return cls.from_image(_unused_image())

    @classmethod
    def from_image(cls, image: bytes) -> Self:
        """Open a copy."""
        connection = sqlite3.connect(
            IN_MEMORY,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS_KEPT,
        )
        if image:
            connection.deserialize(image)
        disk = cls(connection)
        disk.script(SETTINGS)
        return disk

    def image(self) -> bytes:
        """Copy everything, as a backup does."""
        return self._connection.serialize()

    def run(self, sql: str, *parameters: SqlValue) -> int:
        """See the port."""
        self._spend()
        return super().run(sql, *parameters)

    def many(self, sql: str, parameter_rows: Iterable[Sequence[SqlValue]]) -> None:
        """See the port."""
        self._spend()
        super().many(sql, parameter_rows)

    def _spend(self) -> None:
        if self.writes_left is None:
            return
        self.writes_left -= 1
        if self.writes_left < 0:
            self.writes_left = None
            raise PlatformError("disk-full", "The disk is full.", "Free some space.")


@cache
def _unused_image() -> bytes:
    disk = Disk.from_image(b"")
    bring_up_to_date(disk, packaged_upgrades())
    return disk.image()
