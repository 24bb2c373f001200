"""Benchmarks: ``python benchmarks [core] [relay] [web]``, without a name the first two."""

from __future__ import annotations

import sys
from importlib import import_module

from measure import Row, report

MODULES = ("core", "relay")


def main() -> None:
    """Run them in order and report once."""
    rows: list[Row] = []
    for name in sys.argv[1:] or MODULES:
        rows += import_module(name).rows()
    report(rows)


if __name__ == "__main__":
    main()
