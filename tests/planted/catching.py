"""Running what must notice a fault: worlds of the simulation, or one test."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest
from simulation.outcome import run
from tests.attacks.defences import Defence
from tests.planted.fault import Fault

MESSAGES = 60
"""So much people write in a world that looks for a fault."""

SEED = "seed "
"""Before the number of a world."""


class Word(NamedTuple):
    """A complaint: of which seed or test, and what it said; empty when there is none."""

    by: str
    said: str


NOBODY = Word("", "")


class Catch(NamedTuple):
    """Who noticed a fault: the seed or test, and what it said; empty when nobody did."""

    by: str
    said: str
    seconds: float


def catch(fault: Fault) -> Catch:
    """Run the product with a fault until somebody notices it."""
    began = time.monotonic()
    by, said = _by_test(fault) if fault.test else _by_worlds(fault)
    return Catch(by, said, time.monotonic() - began)


def is_clean(fault: Fault, caught: Catch) -> bool:
    """Tell whether what caught a fault is silent about the product without it."""
    if fault.test:
        return not _by_test(replace(fault, rule=Defence())).by
    seed = caught.by.removeprefix(SEED)
    return not seed or not run(int(seed), MESSAGES).failure


def first_complaint(seeds: Iterable[int]) -> Word | None:
    """Run worlds until one breaks a promise."""
    for seed in seeds:
        outcome = run(seed, MESSAGES)
        if outcome.failure:
            return Word(f"{SEED}{seed}", outcome.failure)
    return None


def _by_worlds(fault: Fault) -> Word:
    with fault.planted():
        return first_complaint(range(fault.seeds)) or NOBODY


class _Planting:
    """A plugin that plants a fault around each test, after its module was imported."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self.failures: list[Word] = []
        self.count = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        """Plant the fault for set-up, test and tear-down."""
        self.count += 1
        with self._fault.planted():
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what failed, and its last word."""
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            self.failures.append(Word(report.nodeid, crash.message if crash else "it failed"))


def _by_test(fault: Fault) -> Word:
    planting = _Planting(fault)
    options = ["-x", "-p", "no:cacheprovider", "-p", "no:cov", "-p", "no:xdist", fault.test]
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(options, plugins=[planting])
    if not planting.count:
        raise LookupError(f"no such test: {fault.test}")
    return planting.failures[0] if planting.failures else NOBODY
