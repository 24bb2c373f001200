"""What every run of the tests tells at its end: how much was tried, beside the zeros."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
MEASURED = ("contracts", "conversations", "properties", "unit", "vectors")
"""The folders by whose tests the coverage of the core is measured; the others run at full speed."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure no coverage where thousands of worlds, attacks and crashes are played."""
    for item in items:
        if item.path.relative_to(TESTS).parts[0] not in MEASURED:
            item.add_marker("no_cover")


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
