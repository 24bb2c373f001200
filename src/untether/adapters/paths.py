"""Paths as people write them (``~``, ``~somebody``); directories that outlive a power cut."""

from __future__ import annotations

import os
from errno import ENOSPC
from pathlib import Path

from untether.base.errors import LocalError, PlatformError


def expanded(path: Path | str) -> Path:
    """Return a path whose ``~`` is resolved; LocalError ``no-such-home`` where it can't be."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise LocalError(
            "no-such-home",
            f"The home directory in “{path}” is not known.",
            "Check the user's name after the ~, or write the path out, from / on.",
        ) from error


def make_private(directory: Path) -> None:
    """Make a directory for this user only, with the parents that are missing.

    A new name is on the disk when the directory that holds it was synced; what is synced inside
    would else be lost with it.
    """
    missing = [one for one in (directory, *directory.parents) if not one.exists()]
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for made in reversed(missing):
        descriptor = os.open(made.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def unusable(what: str, error: OSError) -> PlatformError:
    """Return the error for files that the system refuses to use: ``disk-full`` or ``io-error``."""
    if error.errno == ENOSPC:
        return PlatformError("disk-full", "The disk is full.", "Free some space, then try again.")
    return PlatformError(
        "io-error",
        f"{what} can't be used: {error.strerror or error}.",
        "Check the disk, and that it belongs to you and is writable.",
    )
