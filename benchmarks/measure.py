"""Timing in turns, medians, ratios and the table of every benchmark."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

Row = dict[str, Any]
Contender = Callable[[], float]
"""Runs once and returns its figure, smaller is better, e.g. microseconds for each message."""

REPORT = Path("build/bench.json")
BEST_OF = 3
_COLUMNS = ("item", "unit", "ours", "peer", "peer_value", "ratio", "spread", "target")


def timed(work: Callable[[], object], per: int) -> float:
    """Return microseconds for each of ``per`` pieces of work."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        work()
        return (time.perf_counter() - start) / per * 1e6
    finally:
        gc.enable()


def repeated(work: Callable[[], object], count: int) -> float:
    """Return microseconds for one call, from ``count`` calls."""

    def calls() -> None:
        for _ in range(count):
            work()

    return timed(calls, count)


def compare(
    item: str,
    ours: Contender,
    peers: Mapping[str, tuple[Contender, str]],
    *,
    rounds: int,
    unit: str = "µs",
) -> list[Row]:
    """Measure in turns; one row for each peer, with the target for our advantage over it.

    A figure is the best of three, since other work on the machine only ever adds. The ratio is
    the median of the ratios of the same round (peer ÷ ours, above 1 is faster than the peer);
    its spread is the smallest and the largest of them.
    """
    own: list[float] = []
    others: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(rounds):
        own.append(_best(ours))
        for name, (peer, _) in peers.items():
            others[name].append(_best(peer))
    rows = []
    for name, (_, target) in peers.items():
        ratios = [theirs / mine for theirs, mine in zip(others[name], own, strict=True)]
        rows.append(
            {
                "item": item,
                "unit": unit,
                "ours": round(median(own), 2),
                "peer": name,
                "peer_value": round(median(others[name]), 2),
                "ratio": round(median(ratios), 2),
                "spread": f"{min(ratios):.2f}-{max(ratios):.2f}",
                "target": target,
            }
        )
    return rows


def alone(item: str, ours: Contender, target: str, *, rounds: int, unit: str) -> Row:
    """Measure something that has no peer."""
    return summary(item, [ours() for _ in range(rounds)], target, unit=unit)


def summary(item: str, figures: Sequence[float], target: str, *, unit: str) -> Row:
    """Return the row of something that has no peer, from all its figures."""
    return {
        "item": item,
        "unit": unit,
        "ours": round(median(figures), 2),
        "spread": f"{min(figures):.2f}-{max(figures):.2f}",
        "target": target,
    }


def _best(contender: Contender) -> float:
    return min(contender() for _ in range(BEST_OF))


def report(rows: list[Row]) -> None:
    """Print the table and write all rows to ``build/bench.json``."""
    cells = [[str(row.get(column, "")) for column in _COLUMNS] for row in rows]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *cells, strict=True)]
    for line in (_COLUMNS, *cells):
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
