"""``python -m simulation``: one seed with its trace, or many seeds with their tally."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial

from simulation import evidence, regressions
from simulation.evidence import Tally
from simulation.outcome import MESSAGES, Outcome, faults_of, run
from simulation.shrink import shrink

TRACE_LINES = 60


def main(arguments: list[str] | None = None) -> int:
    """Run; the exit status is 1 when a seed failed."""
    options = _parser().parse_args(arguments)
    if options.seed is not None:
        return _one(options)
    return _many(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this one seed and show its trace")
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument(
        "--change",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change what goes wrong in this one seed, e.g. late=0 (see simulation/faults.py)",
    )
    parser.add_argument("--full", action="store_true", help="show every line that was kept")
    parser.add_argument("--shrink", action="store_true", help="look for a smaller failing world")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of many seeds")
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--evidence", action="store_true", help="add a row to docs/evidence")
    parser.add_argument(
        "--record", action="store_true", help="shrink failing seeds into regressions.txt"
    )
    return parser


def _one(options: argparse.Namespace) -> int:
    faults = faults_of(options.seed).changed(options.change)
    outcome = run(options.seed, options.messages, faults)
    if options.shrink and outcome.failure:
        outcome = shrink(outcome)
    for line in outcome.lines if options.full else outcome.lines[-TRACE_LINES:]:
        print(line)
    print(f"faults: {', '.join(outcome.faults.active()) or 'none'}; {outcome.faults}")
    print(f"trace {outcome.digest}, {outcome.written} messages: {outcome.failure or 'kept'}")
    print(outcome.command)
    return 1 if outcome.failure else 0


def _many(options: argparse.Namespace) -> int:
    began = time.monotonic()
    tally = Tally()
    seeds = range(options.first, options.first + options.seeds)
    for outcome in _outcomes(seeds, options.messages, options.jobs):
        tally.add(outcome)
        if outcome.failure:
            _tell(outcome, record=options.record)
    minutes = (time.monotonic() - began) / 60
    line = evidence.row(tally, options.first, f"{datetime.now(UTC):%Y-%m-%d}", minutes)
    print(line, end="")
    if options.evidence:
        evidence.append(line)
    return 1 if tally.failed else 0


def _outcomes(seeds: range, messages: int, jobs: int) -> Iterator[Outcome]:
    """Run seeds here, or in as many processes."""
    run_one = partial(run, messages=messages)
    if jobs == 1:
        yield from map(run_one, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(run_one, seeds, chunksize=4)


def _tell(outcome: Outcome, *, record: bool) -> None:
    print(f"{outcome.command}\n  {outcome.failure[:300]}", file=sys.stderr, flush=True)
    if record:
        regressions.add(shrink(outcome))


if __name__ == "__main__":
    sys.exit(main())
