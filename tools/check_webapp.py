"""Checks the types of the web app: its screens and engine, its tests, and what builds it.

Where Node.js or the packages can't be had it says so and goes on, but not where all tests in a
browser must run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from nodejs import found_node

WEBAPP = Path(__file__).parents[1] / "webapp"
REQUIRED = "UNTETHER_BROWSER_REQUIRED"
"""Set where nothing that needs a browser or Node.js may be left out."""
SVELTE = ("svelte-check/bin/svelte-check", "--fail-on-warnings", "--tsconfig", "tsconfig.json")
TESTS = ("typescript/bin/tsc", "--project", "tsconfig.tests.json")


def problems_of(node: str, webapp: Path) -> str:
    """Return what is wrong in a web app, as the checkers say it; empty when nothing is."""
    said = ""
    for script, *options in (SVELTE, TESTS):
        done = subprocess.run(
            [node, webapp / "node_modules" / script, *options],
            cwd=webapp,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            said += done.stdout + done.stderr
    return said


def main() -> int:
    """Check, and say what is wrong or missing."""
    node = found_node()
    if node is None or not (WEBAPP / "node_modules" / "svelte-check").is_dir():
        print("No Node.js or no packages of the web app: its types are not checked.")
        return 1 if os.environ.get(REQUIRED) else 0
    problems = problems_of(node, WEBAPP)
    print(problems or "The types of the web app hold.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
