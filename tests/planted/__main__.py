"""``python -m tests.planted``: plant every fault, and see who catches it.

Each fault gets a process of its own, so that nothing of it is left for the next one. The exit
status is 1 when a fault was not caught, or when something complained without any fault.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.planted import faults, report


def main(arguments: list[str] | None = None) -> int:
    """Run; see the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these faults")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--evidence", action="store_true", help=f"write {report.PAGE.name}")
    options = parser.parse_args(arguments)
    names = options.names or list(faults.BY_NAME)
    rows = []
    with ProcessPoolExecutor(
        options.jobs, mp_context=get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        for row in pool.map(report.examine, names):
            print(row.text, flush=True)
            rows.append(row)
    caught = sum(row.is_good for row in rows)
    print(f"{caught} of {len(rows)} planted faults were caught")
    if options.evidence and not options.names:
        report.PAGE.write_text(report.page(rows))
    return 0 if caught == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
