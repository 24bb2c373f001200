"""Disks that refuse: full, or broken, from the n-th change on until somebody mends them.

Writes fail where SQLite asks the operating system for them, so that everything above is real: its
own handling of the failure, its result codes, what it passes over. Syncs fail one layer higher,
since SQLite lets nobody replace that call; nothing passes over a failed sync of a commit.
"""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw
from tests.crashes.disks import Change, Disk, Kind, mounted

_WRITE: Final = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t,
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int64,
    use_errno=True,
)
_WRITE_CALLS: Final = ("pwrite64", "pwrite")
"""Which of them SQLite uses depends on how it was built."""


class Fault:
    """When the disk refuses: at the ``left``-th change from now, and from then on."""

    def __init__(self) -> None:
        self._left: int | None = None
        self.failures = 0

    def fail_at(self, change: int) -> None:
        """Let the n-th change from now fail, and all behind it."""
        self._left, self.failures = change, 0

    def mend(self) -> None:
        """There is space again."""
        self._left = None

    def strikes(self) -> bool:
        """Count one change; tell whether it is refused."""
        if self._left is None:
            return False
        self._left -= 1
        if self._left > 0:
            return False
        self.failures += 1
        return True


@contextmanager
def failing_writes(error_number: int) -> Iterator[Fault]:
    """Let writes of SQLite's files fail when told to, as the operating system reports it."""
    fault = Fault()
    system = apsw.VFS("failing-writes", "unix")
    name, address = next((one, at) for one in _WRITE_CALLS if (at := system.xGetSystemCall(one)))
    real = _WRITE(address)

    def write(file: int, data: int, size: int, offset: int) -> int:
        if fault.strikes():
            ctypes.set_errno(error_number)
            return -1
        return int(real(file, data, size, offset))

    replacement = _WRITE(write)
    system.xSetSystemCall(name, ctypes.cast(replacement, ctypes.c_void_p).value or 0)
    try:
        yield fault
    finally:
        system.xSetSystemCall(name, 0)
        system.unregister()


class _FailingSyncs(Disk):
    def __init__(self, folder: Path, fault: Fault) -> None:
        super().__init__(folder)
        self._fault = fault

    def change(self, change: Change) -> None:
        if change.kind is Kind.SYNC and self._fault.strikes():
            raise apsw.exception_for(apsw.SQLITE_IOERR_FSYNC)


@contextmanager
def failing_syncs(folder: Path) -> Iterator[Fault]:
    """Let syncs of the files of a folder fail when told to."""
    fault = Fault()
    with mounted(_FailingSyncs(folder, fault)):
        yield fault


@contextmanager
def failing(folder: Path, how: str) -> Iterator[Fault]:
    """Let one kind of change fail: ``full``, ``broken`` or ``sync``."""
    if how == "sync":
        with failing_syncs(folder) as fault:
            yield fault
    else:
        with failing_writes(errno.ENOSPC if how == "full" else errno.EIO) as fault:
            yield fault
