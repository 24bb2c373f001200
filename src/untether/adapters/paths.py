"""Paths as people write them: ``~`` and ``~somebody`` stand for home directories."""

from __future__ import annotations

from pathlib import Path

from untether.base.errors import LocalError


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
