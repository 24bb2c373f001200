"""The invariant: a value, or a clear error, soon, in little memory, and nothing is changed.

A *target* is one reader of hostile bytes. It gives a *case*: how an input becomes what the
reader is given, how the reader is called, and seeds, which are genuine inputs. Reading lets
through what the reader raises; :func:`attempt` judges it. Whatever else comes out, and whatever
a case itself finds changed, is a failure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from resource import RUSAGE_SELF, getrusage
from sys import platform
from time import thread_time
from typing import Any, Final, Literal, NamedTuple

from untether.base.errors import UntetherError

CPU_S_MAX: Final = 0.050
"""For one input; CPU time, so that a busy machine is not taken for a slow reader."""

MEMORY_BYTES_MAX: Final = 64 * 1024 * 1024
"""By which the peak of the process may grow within one input."""

ERROR_TEXT_MAX: Final = 2_000
"""Characters: an error must not repeat what came."""

VARIANTS: Final = 15

TRIES: Final = 3
"""An input counts as slow when it was slow so often in a row; one time may be the collector."""

_CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RSS_UNIT: Final = 1 if platform == "darwin" else 1024


class Case(NamedTuple):
    """One reader, ready: ``build`` makes of an input what ``read`` is given and judged by.

    A reader that is quick is given ``VARIANTS`` more with each input; ``vary`` makes the nth.
    """

    build: Callable[[bytes], Any]
    read: Callable[[Any], object]
    seeds: Sequence[bytes]
    vary: Callable[[Any, int], Any] | None = None

    @property
    def reads(self) -> int:
        """How often it reads with each input."""
        return 1 if self.vary is None else 1 + VARIANTS


class Target(NamedTuple):
    """A reader of hostile bytes.

    A *decoder* has no state; an *open* has one, puts it back after each input, and compares it
    after a refusal. ``prepare`` may replace parts of the product as long as its context is open.
    """

    kind: Literal["decoder", "open"]
    prepare: Callable[[], AbstractContextManager[Case]]
    cpu_s_max: float = CPU_S_MAX


class InvariantError(AssertionError):
    """What must never be."""


class Judge:
    """Runs the inputs of one case; ``observe`` is told in words how each one ended."""

    def __init__(
        self, case: Case, cpu_s_max: float, observe: Callable[[str], object] = len
    ) -> None:
        self._case = case
        self._cpu_s_max = cpu_s_max
        self._observe = observe
        self._peak = _peak()

    def attempt(self, data: bytes) -> None:
        """Run one input; raises InvariantError, or what no reader may raise."""
        case = self._case
        built = case.build(data)
        self._observe(self._read(built))
        if case.vary is not None:
            began = thread_time()
            for number in range(VARIANTS):
                read(case, case.vary(built, number))
            if thread_time() - began > self._cpu_s_max:
                for number in range(VARIANTS):
                    self._read(case.vary(built, number))
        peak = _peak()
        if peak - self._peak > MEMORY_BYTES_MAX:
            raise InvariantError(f"one input took {(peak - self._peak) // 2**20} MiB")
        self._peak = peak

    def _read(self, built: object) -> str:
        """Read once, and again while it seems slow."""
        seconds = 0.0
        for _ in range(TRIES):
            began = thread_time()
            end = read(self._case, built)
            seconds = thread_time() - began
            if seconds <= self._cpu_s_max:
                return end
        raise InvariantError(f"one input took {seconds * 1000:.0f} ms")


def read(case: Case, built: object) -> str:
    """Let the reader read; returns how it ended, in the words that say most about it."""
    try:
        return type(case.read(built)).__name__
    except UntetherError as error:
        check_clear(error)
        return f"{error.code} {error.__cause__ or error.message}"


def check_clear(error: UntetherError) -> None:
    """Raise InvariantError unless an error has a code, says something, and is short."""
    if not _CODE.fullmatch(error.code):
        raise InvariantError(f"an error has the code {error.code!r}") from error
    if not error.message or len(str(error)) > ERROR_TEXT_MAX:
        raise InvariantError(f"an error has a text of {len(str(error))} characters") from error


def expect(holds: bool, what: str) -> None:
    """Raise InvariantError unless ``holds``."""
    if not holds:
        raise InvariantError(what)


def _peak() -> int:
    return getrusage(RUSAGE_SELF).ru_maxrss * _RSS_UNIT
