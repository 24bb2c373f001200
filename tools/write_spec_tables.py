"""Write the tables of limits, labels and error codes into the pages from the code that has them.

``write_spec_tables.py`` rewrites the pages; with ``--check`` it only says whether they are up to
date, by its exit status. The tables stand between two comment lines that name them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from error_codes import error_rows
from untether.base import limits
from untether.crypto import labels

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs"
LIMIT = re.compile(r"(?P<name>[A-Z0-9_]+) = .*?  # (?P<reason>.+)")
HEADING = re.compile(r"# --- (?P<heading>.+?) -+")


def limit_rows() -> Iterator[str]:
    """Yield the limits in the order of the module, each group under its heading."""
    for line in Path(limits.__file__).read_text().splitlines():
        if heading := HEADING.fullmatch(line):
            yield f"\n**{heading['heading']}**\n\n| limit | value | reason |\n|---|---|---|"
        elif limit := LIMIT.fullmatch(line):
            value = getattr(limits, limit["name"])
            yield f"| `{limit['name']}` | {value:,} | {limit['reason']} |"


def label_rows() -> Iterator[str]:
    """Yield the labels in the order of the module."""
    yield "| name | bytes, then one zero byte |\n|---|---|"
    for name, label in vars(labels).items():
        if name.isupper() and isinstance(label, bytes):
            yield f"| `{name}` | `{label.decode().rstrip(chr(0))}` |"


TABLES: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "limits": ("spec/00-conventions.md", limit_rows),
    "labels": ("spec/01-cryptography.md", label_rows),
    "errors": ("error-codes.md", error_rows),
}


def with_table(page: str, name: str, rows: Iterator[str]) -> str:
    """Return the page with the rows between the two comments of the table."""
    begin, end = f"<!-- table {name}: make tables -->\n", f"<!-- end of table {name} -->\n"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"the page has no place for the table {name}")
    return before + begin + "\n".join(rows).strip("\n") + "\n" + end + after


def main() -> int:
    """Write or check all tables."""
    stale = []
    for name, (file, rows) in TABLES.items():
        path = PAGES / file
        written = path.read_text()
        page = with_table(written, name, rows())
        if page != written:
            stale.append(file)
            if "--check" not in sys.argv:
                path.write_text(page)
    if stale and "--check" in sys.argv:
        sys.stderr.write(f"out of date: {', '.join(stale)}; run: make tables\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
