"""Only one process of a profile receives (spec 09, "Receiver lock").

The kernel holds the lock and lets it go with the process, however that ends; the process
number inside the file only serves the error message.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from untether.adapters.paths import unusable
from untether.base.errors import LocalError

_PID_DIGITS_MAX: Final = 20  # of 64 bits


@contextmanager
def receive_alone(path: Path) -> Iterator[None]:
    """Hold the receiver lock inside; LocalError ``already-receiving`` when another does."""
    # The file is never deleted: a second process might hold the deleted one.
    descriptor = _open(path)
    try:
        _lock(descriptor)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unusable("The profile directory", error) from error


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        written = os.pread(descriptor, _PID_DIGITS_MAX, 0)
        pid = int(written) if written.isdigit() else 0
        raise LocalError(
            "already-receiving",
            f"Another process of this profile is receiving already (process {pid or 'unknown'}).",
            "Use its output, or end it first.",
            pid=pid,
        ) from error
