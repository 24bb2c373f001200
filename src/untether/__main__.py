"""``untether`` and ``python -m untether``: Ctrl-C is quiet, however early it comes."""

from __future__ import annotations

import sys

INTERRUPTED = 130
"""What shells expect of a command that Ctrl-C ended."""


def main() -> int:
    """Load and run the command line; returns the exit status."""
    try:
        from untether.cli.main import main as run  # noqa: PLC0415 (it takes a while)

        return run()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
