"""The browser's database through power cuts (spec 09, "In the browser").

The real SQLite of the browser's Python runs, under Node.js, over files of which only what was
flushed surely survives; `webapp/tests/power_cuts` cuts the power at a random write.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.browser.serving import WEBAPP, built, needs_node

CUTS = 40

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the simulation."""
    needs_node()
    folder = built("tests/power_cuts/vite.config.ts", tmp_path_factory.mktemp("power-cuts"))
    (folder / "node_modules").symlink_to(WEBAPP / "node_modules")
    return folder / "power_cuts.js"


def cut(simulation: Path, cuts: int, *, psow: int, hook: str) -> dict[str, int]:
    """Cut the power so often; returns what was counted."""
    command = [needs_node(), str(simulation), str(cuts), str(psow), hook]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    totals: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return totals


def test_nothing_acknowledged_is_lost(simulation: Path) -> None:
    """Each committed transaction is there after the cut, and none is there in part."""
    totals = cut(simulation, CUTS, psow=0, hook="hook")
    assert totals["acknowledged"] > 10 * CUTS
    assert (totals["lost"], totals["broken"], totals["unopened"]) == (0, 0, 0)


def test_twin_that_trusts_the_sector_loses(simulation: Path) -> None:
    """Switched off: SQLite writes a commit into the page of the one before, and both are torn."""
    assert cut(simulation, CUTS, psow=1, hook="hook")["lost"] > 0


def test_twin_without_the_hook_loses_all(simulation: Path) -> None:
    """Switched off: Emscripten's own fdatasync brings nothing to the disk."""
    totals = cut(simulation, 2, psow=0, hook="none")
    assert totals["unopened"] == 2
    assert totals["acknowledged"] > 0
