"""The tests that drive a browser, each folder, or file of a long one, in a process of its own.

By hand: ``UNTETHER_BROWSER_PROCESS=1 pytest tests/browser/screens``.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.browser.conftest import FOLDERS, OWN_PROCESS
from tests.browser.serving import ROOT, needs_a_browser

HERE = ROOT / "tests" / "browser"
APP = sorted(f"app/{file.name}" for file in (HERE / "app").glob("test_*.py"))
PARTS = [*APP, *(folder for folder in FOLDERS if folder != "app")]
OPTIONS = ("-q", "-p", "no:xdist", "-p", "no:cacheprovider", "--no-cov", "--no-header", "-rs")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", PARTS)
def test_in_a_process_of_its_own(part: str) -> None:
    """All tests of this part pass, and none is skipped where there is a browser."""
    needs_a_browser()
    environment = {name: text for name, text in os.environ.items() if "PYTEST" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, f"tests/browser/{part}"],
        cwd=ROOT,
        env={**environment, OWN_PROCESS: "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6_000:]
    assert "SKIPPED" not in done.stdout
