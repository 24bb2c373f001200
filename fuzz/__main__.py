"""Fuzz one target or all: ``python -m fuzz [TARGET ...] [--seconds N | --runs N]``."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

from fuzz import report, runs
from fuzz.harness import Judge
from fuzz.targets import TARGETS

SECONDS = 10
NO_ATHERIS = (
    "Fuzzing needs Atheris, which is not installed: it has wheels for Linux on x86-64 with "
    "Python 3.11 to 3.14 only.\nThe corpora are replayed without it: make test "
    'ARGS="tests/fuzz --no-cov"'
)


def main() -> int:
    """Do what the command line says; 1 when an invariant was broken."""
    arguments = _parser().parse_args()
    names = arguments.targets or list(TARGETS)
    if arguments.replay:
        return _replay(names[0], arguments.replay)
    if arguments.report:
        report.write(runs.noted())
        runs.LEDGER.unlink(missing_ok=True)
        return 0
    if arguments.keep:
        for name in names:
            print(f"{name}: {runs.keep(name, TARGETS[name])} inputs kept", flush=True)
        return 0
    if find_spec("atheris") is None:
        print(NO_ATHERIS, file=sys.stderr)
        return 1
    return max(_fuzz(name, arguments) for name in names)


def _fuzz(name: str, arguments: argparse.Namespace) -> int:
    seconds = 0 if arguments.runs and not arguments.seconds else arguments.seconds or SECONDS
    run = runs.fuzz(name, TARGETS[name], seconds, arguments.runs)
    end = f"FAILED: {run.failure}" if run.failure else "no failure"
    print(
        f"{name:16} {run.executions:>12,} executions {run.seconds:>6} s {run.edges:>6} edges "
        f"{run.features:>6} features  {end}",
        flush=True,
    )
    return 1 if run.failure else 0


def _replay(name: str, file: Path) -> int:
    """Run one input, so that a failure shows its traceback."""
    with TARGETS[name].prepare() as case:
        Judge(case, TARGETS[name].cpu_s_max).attempt(file.read_bytes())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=0, help=f"for each ({SECONDS})")
    parser.add_argument("--runs", type=int, default=0, help="executions of each")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run one input of a target")
    parser.add_argument("--keep", action="store_true", help="keep what was found in the corpora")
    parser.add_argument("--report", action="store_true", help="add the runs to the evidence")
    return parser


if __name__ == "__main__":
    sys.exit(main())
