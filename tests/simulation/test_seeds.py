"""The simulated world: fixed seeds, fresh ones, every regression, and that a seed is one story.

With ``UNTETHER_SEEDS=FIRST-LAST`` other seeds run in place of the fixed ones, and with
``UNTETHER_FRESH=NUMBER`` more or fewer fresh ones.
"""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

import pytest
from simulation.outcome import MESSAGES, run

from simulation import regressions

ROOT = Path(__file__).parents[2]
FIXED = 200
FRESH = 50
FIRST_FRESH = 1_000_000_000
AT_ONCE = 10
"""Seeds of one test: few enough that processes share the work evenly."""


def simulate(seeds: range) -> None:
    """Run worlds as ``make simulate`` does, in a process that no coverage slows down."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "simulation",
            "--from",
            str(seeds.start),
            "--seeds",
            str(len(seeds)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def chosen() -> list[range]:
    """Return the fixed seeds, or those that were asked for, in groups."""
    first, _, last = os.environ.get("UNTETHER_SEEDS", f"0-{FIXED - 1}").partition("-")
    end = int(last or first) + 1
    return [range(one, min(one + AT_ONCE, end)) for one in range(int(first), end, AT_ONCE)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seeds", chosen(), ids=lambda seeds: f"from-{seeds.start}")
def test_every_promise_is_kept(seeds: range) -> None:
    """Nothing lost, doubled, read by the wrong device, or left waiting."""
    simulate(seeds)


def fresh() -> list[range]:
    """Return seeds that the product's code draws: a change gets worlds that nobody has tried.

    The same code gets the same ones, so that a failure does not go away by itself.
    """
    drawn = blake2b(digest_size=4)
    for file in sorted((ROOT / "src").rglob("*.py")):
        drawn.update(file.read_bytes())
    first = FIRST_FRESH + int.from_bytes(drawn.digest())
    end = first + int(os.environ.get("UNTETHER_FRESH", FRESH))
    return [range(one, min(one + AT_ONCE, end)) for one in range(first, end, AT_ONCE)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seeds", fresh(), ids=lambda seeds: f"from-{seeds.start}")
def test_every_promise_is_kept_in_worlds_never_seen(seeds: range) -> None:
    """The same with fresh seeds: a failure tells the command that repeats it."""
    simulate(seeds)


@pytest.mark.parametrize("regression", regressions.load(), ids=lambda one: str(one.seed))
def test_what_failed_once_does_not_fail_again(regression: regressions.Regression) -> None:
    """Every seed that ever failed is replayed."""
    outcome = regression.run()
    assert not outcome.failure, f"{outcome.command}: {outcome.failure} ({regression.story})"


def digests(hash_seed: int, code: str) -> str:
    """Run code in a process of its own under one hash seed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_seed_is_one_story() -> None:
    """The same trace in two processes whose hashes differ: nothing depends on a set's order."""
    code = "from simulation.outcome import run\nfor s in range(3): print(run(s, 40).digest)"
    assert digests(1, code) == digests(2, code)


def test_twin_a_set_in_the_way_is_noticed() -> None:
    """The guard above sees an order that hashes decide."""
    code = (
        "from simulation.people import People\n"
        "from simulation.outcome import run\n"
        "begin = People.begin\n"
        "def in_no_order(self):\n"
        "    self.persons = list({one: None for one in sorted(self.persons, key=hash_of)})\n"
        "    begin(self)\n"
        "def hash_of(person): return hash(person.name)\n"
        "People.begin = in_no_order\n"
        "for s in range(3): print(run(s, 40).digest)"
    )
    assert digests(1, code) != digests(2, code)


def test_a_seed_has_its_number_of_messages() -> None:
    """A seed that writes little would prove little."""
    outcome = run(0)
    assert outcome.written == MESSAGES == 100
    assert outcome.delivered >= MESSAGES // 2  # some are notes to oneself
