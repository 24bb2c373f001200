"""Starting a fuzzer on one target, and what came of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from fuzz import corpus
from fuzz.harness import Judge, Target

LEDGER: Final = corpus.WORK / "runs.jsonl"
RSS_MIB_MAX: Final = 1_024
"""Of the whole process with its corpus; the bound of one input is the harness's."""

HANG_S: Final = 20
OPTIONS: Final = (
    "-print_final_stats=1",
    "-use_value_profile=0",
    "-verbosity=1",
    f"-rss_limit_mb={RSS_MIB_MAX}",
    f"-timeout={HANG_S}",
    "-max_len=4096",
)
_NUMBER: Final = re.compile(r"\d+")


class Run(msgspec.Struct, frozen=True):
    """One run: what was executed, and what the fuzzer had reached at its end."""

    target: str
    kind: str
    executions: int
    seconds: int
    edges: int
    features: int
    failure: str = ""


def fuzz(name: str, target: Target, seconds: int, runs: int) -> Run:
    """Fuzz for so many seconds or runs, whichever ends first (0: no bound); note the run."""
    found = corpus.folder(name, "found")
    with target.prepare() as case:
        corpus.unpack(found, case.seeds)
        reads = case.reads
    corpus.unpack(found, corpus.kept(name))
    bounds = [f"-max_total_time={seconds}", f"-runs={runs or -1}"]
    artifacts = f"-artifact_prefix={corpus.folder(name, 'failures')}{os.sep}"
    output = _start(name, [*OPTIONS, *bounds, artifacts, str(found)])
    run = _read(name, target.kind, reads, output)
    LEDGER.parent.mkdir(parents=True, exist_ok=True)
    with LEDGER.open("ab") as ledger:
        ledger.write(msgspec.json.encode(run) + b"\n")
    return run


def keep(name: str, target: Target) -> int:
    """Keep inputs that end reading each in a way of its own, and some others; their number."""
    found = sorted([*corpus.read(corpus.folder(name, "found")), *corpus.kept(name)], key=len)
    ends: list[str] = []
    first: dict[str, bytes] = {}
    with target.prepare() as case:
        judge = Judge(case, target.cpu_s_max, ends.append)
        for one in [*case.seeds, *found]:
            judge.attempt(one)
            first.setdefault(_NUMBER.sub("n", ends[-1]), one)
        known = set(case.seeds)
    ways = [one for one in first.values() if one not in known]
    others = [one for one in found if one not in known.union(ways)]
    return corpus.keep(name, ways, others)


def noted() -> list[Run]:
    """Return all runs that were noted and not yet reported."""
    if not LEDGER.exists():
        return []
    return [msgspec.json.decode(line, type=Run) for line in LEDGER.read_bytes().splitlines()]


def _start(name: str, options: list[str]) -> str:
    """Run the child to its end; returns what libFuzzer said."""
    child = subprocess.run(  # noqa: S603 (this Python, and options of ours)
        [sys.executable, "-m", "fuzz.child", name, *options],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return child.stdout


def _read(name: str, kind: str, reads: int, output: str) -> Run:
    """Read executions, time, coverage, and a failure's first words, from libFuzzer's report."""
    inputs = _last(r"stat::number_of_executed_units:\s*(\d+)", output)
    done = "DONE" in output
    failure = "" if done else _failure(output)
    return Run(
        target=name,
        kind=kind,
        executions=inputs * reads,
        seconds=_last(r"^Done \d+ runs in (\d+) second", output),
        edges=_last(r" cov: (\d+) ", output),
        features=_last(r" ft: (\d+) ", output),
        failure=failure,
    )


def _failure(output: str) -> str:
    found = re.search(r"Uncaught Python exception: ===\s*(.*)", output)
    found = found or re.search(r"ERROR: libFuzzer: (.*)", output)
    return found[1][:200] if found else output[-200:]


def _last(pattern: str, output: str) -> int:
    found = re.findall(pattern, output, re.MULTILINE)
    return int(found[-1]) if found else 0
