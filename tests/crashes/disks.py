"""Disks for the tests of crashes: SQLite's files go through here, and a disk object is told.

One file system is registered with SQLite for the whole process. While a disk is mounted, every
database that any adapter opens is opened there; what happens below the folder of the disk is told
to it, change by change, before it is done. A disk may refuse a change by raising. Real files lie
below, so locks and the shared index of the write-ahead log work as ever. The adapters are those of
the product, unchanged; an encrypted database is sealed above this layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple

import apsw

_NAME: Final = "told-to-a-disk"
_DEFAULT: Final = "multipleciphers-unix"
_JOURNALS: Final = (
    apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL
)


class Kind(Enum):
    """What is done to a file, or to the names in its folder."""

    CREATE = "create"
    WRITE = "write"
    TRUNCATE = "truncate"
    SYNC = "sync"
    DELETE = "delete"
    SYNC_FOLDER = "sync folder"


class Change(NamedTuple):
    """One change of a file: ``offset`` is where a write begins, or the new length."""

    kind: Kind
    file: str
    offset: int = 0
    data: bytes = b""


class Disk:
    """A folder whose changes are told; subclasses remember or refuse them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = {file.name for file in folder.iterdir()}

    def change(self, change: Change) -> None:
        """Hear what is about to be done; raising an ``apsw.Error`` refuses it."""

    def opened(self, file: str, *, create: bool) -> None:
        """Hear that a file is opened: one that is not known is made by it."""
        if create and file not in self._names:
            self.change(Change(Kind.CREATE, file))
            self._names.add(file)

    def deleted(self, file: str, *, durably: bool) -> None:
        """Hear that a file is deleted."""
        self.change(Change(Kind.DELETE, file))
        self._names.discard(file)
        if durably:
            self.change(Change(Kind.SYNC_FOLDER, file))


class _File(apsw.VFSFile):
    """A real file; its disk hears of each change first."""

    def __init__(self, disk: Disk, name: str | apsw.URIFilename, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk
        self._name = _path(name).name
        # SQLite syncs the folder with the first sync of a journal, and of nothing else.
        self._folder_is_due = bool(flags[0] & _JOURNALS)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.change(Change(Kind.WRITE, self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._disk.change(Change(Kind.TRUNCATE, self._name, newsize))
        super().xTruncate(newsize)

    def xSync(self, _flags: int) -> None:  # noqa: N802
        """Nothing is synced for real: the disk object says what survives."""
        self._disk.change(Change(Kind.SYNC, self._name))
        if self._folder_is_due:
            self._disk.change(Change(Kind.SYNC_FOLDER, self._name))
            self._folder_is_due = False


class _FileSystem(apsw.VFS):
    """The files of the mounted disks; others are passed on untouched."""

    def __init__(self) -> None:
        super().__init__(_NAME, "unix")
        self.disks: list[Disk] = []

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        disk = None if name is None else self._disk_of(_path(name))
        if name is None or disk is None:
            return apsw.VFSFile("unix", name, flags)
        disk.opened(_path(name).name, create=bool(flags[0] & apsw.SQLITE_OPEN_CREATE))
        return _File(disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        disk = self._disk_of(Path(filename))
        if disk is not None:
            disk.deleted(Path(filename).name, durably=syncdir)
        super().xDelete(filename, False)

    def _disk_of(self, path: Path) -> Disk | None:
        return next((disk for disk in self.disks if disk.folder == path.parent), None)


_system: list[_FileSystem] = []


@contextmanager
def mounted(disk: Disk) -> Iterator[None]:
    """Let SQLite's files below the folder of ``disk`` be told to it, whoever opens them."""
    if not _system:  # once: the layer that encrypts keeps a pointer to it for ever
        _system.append(_FileSystem())
        apsw.Connection(":memory:", vfs=f"multipleciphers-{_NAME}").close()
    (system,) = _system
    system.disks.append(disk)
    apsw.set_default_vfs(f"multipleciphers-{_NAME}")
    try:
        yield
    finally:
        system.disks.remove(disk)
        if not system.disks:
            apsw.set_default_vfs(_DEFAULT)


def _path(name: str | apsw.URIFilename) -> Path:
    return Path(name if isinstance(name, str) else name.filename())
