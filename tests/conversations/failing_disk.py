"""A disk under real, encrypted SQLite whose n-th write fails."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import apsw

from untether.adapters.storage.device_apsw import ApswDeviceDatabase
from untether.base.identifiers import SECOND_MS
from untether.base.secret_bytes import SecretBytes

KEY: Final = SecretBytes(bytes(range(32)))
CACHE_PAGES: Final = 1
"""So few that a longer step writes before its commit, and may fail in its middle."""

FAILURES: Final = {apsw.SQLITE_FULL: "disk-full", apsw.SQLITE_IOERR_WRITE: "io-error"}
"""What SQLite may hear from a disk, and what people must hear then."""


class FailingDisk(apsw.VFS):
    """A file system whose writes fail from some point on, until it is mended."""

    def __init__(self) -> None:
        self.name = f"failing-{id(self)}"
        super().__init__(self.name, "unix")
        self._writes_left: int | None = None
        self._failure = apsw.SQLITE_FULL
        self._lasting = True
        self._has_failed = False

    def fail_after(self, writes: int, failure: int, *, lasting: bool) -> None:
        """Let so many writes through, but not the next one, or (lasting) none behind them."""
        self._writes_left, self._failure, self._lasting = writes, failure, lasting
        self._has_failed = False

    def mend(self) -> bool:
        """Work again; tell whether any write has failed."""
        self._writes_left = None
        return self._has_failed

    def spend(self) -> None:
        """Count a write, which may be the one that fails."""
        if self._writes_left is None or (self._has_failed and not self._lasting):
            return
        if self._writes_left:
            self._writes_left -= 1
            return
        self._has_failed = True
        raise apsw.exception_for(self._failure)

    def xOpen(self, name: apsw.URIFilename | str | None, flags: list[int]) -> FailingFile:  # noqa: N802
        """See SQLite."""
        return FailingFile(self, name, flags)

    def open(self, path: Path) -> ApswDeviceDatabase:
        """Open a device's database on this disk."""
        uri = f"{path.absolute().as_uri()}?vfs=multipleciphers-{self.name}"
        database = ApswDeviceDatabase._connected(uri, KEY, SECOND_MS)
        database.script(f"PRAGMA cache_size = {CACHE_PAGES}")
        return database


class FailingFile(apsw.VFSFile):
    """One file on such a disk."""

    def __init__(
        self, disk: FailingDisk, name: apsw.URIFilename | str | None, flags: list[int]
    ) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        """See SQLite."""
        self._disk.spend()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        """See SQLite."""
        self._disk.spend()
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        """See SQLite."""
        self._disk.spend()
        super().xTruncate(size)
