"""The process that fuzzes one target: ``python -m fuzz.child TARGET LIBFUZZER-OPTIONS``.

libFuzzer ends its process when it is done, and reports on stderr; :mod:`fuzz.runs` starts this
and reads it. Only the product is instrumented: the fuzzer follows its branches, not ours.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final
from zlib import crc32

import atheris

LEAVES: Final = 1_024
TOLD_MAX: Final = 160
"""Bytes of an end that count; behind them stand values, not places."""


def main(name: str, options: list[str]) -> None:
    """Fuzz until libFuzzer ends the process."""
    with atheris.instrument_imports(include=["untether"]):
        targets = import_module("fuzz.targets").TARGETS
    make_judge = import_module("fuzz.harness").Judge
    target = targets[name]
    with target.prepare() as case:
        gc.freeze()  # else the collector's pauses look like a slow reader
        judge = make_judge(case, target.cpu_s_max, observer())
        atheris.Setup([sys.argv[0], *options], judge.attempt)
        atheris.Fuzz()


def observer() -> Callable[[str], None]:
    """Return a function that takes another branch for each text.

    The decoder is written in C, where the fuzzer sees no branches; but its errors say where it
    stopped. So each place, each code and each kind of value becomes a branch of this function.
    """
    namespace: dict[str, Any] = {}
    exec("\n".join(["def leaf(n):", *_branches(0, LEAVES, 1)]), namespace)  # noqa: S102 (our text)
    leaf = atheris.instrument_func(namespace["leaf"])

    def observe(text: str) -> None:
        leaf(crc32(text.encode("utf-8", "replace")[:TOLD_MAX]) % LEAVES)

    return observe


def _branches(first: int, count: int, depth: int) -> list[str]:
    indent = " " * depth
    if count == 1:
        return [f"{indent}return"]
    half = count // 2
    return [
        f"{indent}if n < {first + half}:",
        *_branches(first, half, depth + 1),
        f"{indent}else:",
        *_branches(first + half, half, depth + 1),
    ]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
