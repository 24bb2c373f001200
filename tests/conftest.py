"""What every run of the tests tells at its end: how much was tried, beside the zeros."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
MEASURED = ("contracts", "conversations", "properties", "unit", "vectors")
"""The folders by whose tests the coverage of the core is measured; the others run at full speed."""


LONGEST = ("app/test_what_survives.py]", "[screens]", "test_the_whole_story_holds_in_a_terminal")
"""Ends of the names of tests that take a minute or two: each is the first one of a process."""
SLOW = ("browser", "crashes", "demo", "simulation")
"""The folders in which a test may take many seconds."""


def pytest_configure() -> None:
    """Heed Ctrl-C: a run in the background ignores it, and so would every process it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure no coverage where worlds and crashes are played, and spread what takes long.

    Each process begins with a stretch of the list: none may have all that is slow, or have it last.
    """
    for item in items:
        if _folder(item) not in MEASURED:
            item.add_marker("no_cover")
    longest = [item for item in items if item.nodeid.endswith(LONGEST)]
    slow = [item for item in items if _folder(item) in SLOW and item not in longest]
    quick = [item for item in items if _folder(item) not in SLOW]
    if slow and quick:
        between = max(1, len(quick) // len(slow))
        items[:] = [
            item
            for place, one in enumerate(slow)
            for item in (one, *quick[place * between : (place + 1) * between])
        ] + quick[len(slow) * between :]
        processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        for place, item in enumerate(longest):
            items.insert(place % processes * len(items) // processes, item)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have recorded with ``record_property("figures", …)``."""
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.getreports(kind)]
    figures = [
        str(value)
        for report in reports
        for name, value in report.user_properties
        if name == "figures" and report.when == "call"
    ]
    if figures:
        terminalreporter.section("figures")
        for line in sorted(figures):
            terminalreporter.line(line)
