"""Corpora: one small text of inputs for each target, and the folder that a run works in.

A corpus holds what fuzzing found beyond the seeds, which each case makes by itself: a line of
base64 for each input.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final

CORPORA: Final = Path(__file__).parent / "corpus"
WORK: Final = Path(__file__).parents[1] / "build" / "fuzz"

INPUT_BYTES_MAX: Final = 512
"""Of what is kept; a long script says little that a short one does not."""

WAYS_MAX: Final = 60
OTHERS_MAX: Final = 20
"""Inputs of one target, of each kind: the tests replay them all."""


def kept(name: str) -> list[bytes]:
    """Return the inputs that were kept for a target, the shortest first."""
    path = CORPORA / f"{name}.txt"
    return [b64decode(line) for line in path.read_text().splitlines()] if path.exists() else []


def keep(name: str, ways: Iterable[bytes], others: Iterable[bytes]) -> int:
    """Write the corpus of a target: of both kinds a few of each length; returns their number."""
    chosen = _spread(ways, WAYS_MAX) + _spread(others, OTHERS_MAX)
    CORPORA.mkdir(exist_ok=True)
    lines = [b64encode(one).decode() + "\n" for one in sorted(chosen, key=_order)]
    (CORPORA / f"{name}.txt").write_text("".join(lines))
    return len(chosen)


def _spread(inputs: Iterable[bytes], count: int) -> list[bytes]:
    """Choose so many inputs, from the shortest to the longest, in even steps."""
    short = sorted({one for one in inputs if len(one) <= INPUT_BYTES_MAX}, key=_order)
    step = max(1.0, len(short) / count)
    return [short[int(number * step)] for number in range(min(count, len(short)))]


def _order(data: bytes) -> tuple[int, bytes]:
    return len(data), data


def folder(name: str, part: str) -> Path:
    """Return a folder of a run's own for one target, made when it is missing."""
    path = WORK / name / part
    path.mkdir(parents=True, exist_ok=True)
    return path


def unpack(into: Path, inputs: Iterable[bytes]) -> None:
    """Write inputs as files, each named by its hash."""
    for one in inputs:
        (into / sha256(one).hexdigest()[:16]).write_bytes(one)


def read(path: Path) -> list[bytes]:
    """Read all inputs of a folder."""
    return [file.read_bytes() for file in sorted(path.iterdir()) if file.is_file()]
