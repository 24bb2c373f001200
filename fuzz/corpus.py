"""Corpora: one archive of small inputs for each target, and the folder that a run works in.

An archive holds what fuzzing found beyond the seeds, which each case makes by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ARCHIVES: Final = Path(__file__).parent / "corpus"
WORK: Final = Path(__file__).parents[1] / "build" / "fuzz"

INPUT_BYTES_MAX: Final = 1_024
"""Of what is kept; a long script says little that a short one does not."""

INPUTS_MAX: Final = 200
"""Of one target: all are replayed by the tests."""


def archived(name: str) -> list[bytes]:
    """Return the archived inputs of a target, in a fixed order."""
    path = ARCHIVES / f"{name}.zip"
    if not path.exists():
        return []
    with ZipFile(path) as archive:
        return [archive.read(entry) for entry in sorted(archive.namelist())]


def archive(name: str, inputs: Iterable[bytes]) -> int:
    """Write the archive of a target, the same bytes for the same inputs; returns their number."""
    kept = sorted((one for one in set(inputs) if len(one) <= INPUT_BYTES_MAX), key=_order)
    ARCHIVES.mkdir(exist_ok=True)
    with ZipFile(ARCHIVES / f"{name}.zip", "w", ZIP_DEFLATED) as packed:
        for one in kept[:INPUTS_MAX]:
            packed.writestr(ZipInfo(_digest(one)), one, ZIP_DEFLATED)
    return len(kept[:INPUTS_MAX])


def folder(name: str, part: str) -> Path:
    """Return a folder of a run's own for one target, made when it is missing."""
    path = WORK / name / part
    path.mkdir(parents=True, exist_ok=True)
    return path


def unpack(into: Path, inputs: Iterable[bytes]) -> None:
    """Write inputs as files, each named by its hash."""
    for one in inputs:
        (into / _digest(one)).write_bytes(one)


def read(path: Path) -> list[bytes]:
    """Read all inputs of a folder."""
    return [file.read_bytes() for file in sorted(path.iterdir()) if file.is_file()]


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:16]


def _order(data: bytes) -> tuple[int, bytes]:
    return len(data), data
