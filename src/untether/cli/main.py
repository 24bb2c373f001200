"""``untether``: parse, run one verb, render errors, exit (product contract, "Command line").

Each family of verbs is one module with ``add_parser(subparsers)``; the chosen verb's
``arguments.run`` returns the exit status or raises UntetherError.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from untether import __version__
from untether.base.errors import ExitStatus, UntetherError
from untether.cli import account, conversations, people, serve
from untether.cli.render import show_error

_FAMILIES = (serve, account, conversations, people)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
    except UntetherError as error:
        show_error(error, json_wanted=parsed.output == "json")
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return ExitStatus.OK
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="untether",
        description="End-to-end encrypted messages for one phone and up to four companions.",
    )
    parser.add_argument("--version", action="version", version=f"untether {__version__}")
    parser.add_argument(
        "--profile", metavar="DIR", type=Path, help="the device to act as (UNTETHER_PROFILE)"
    )
    parser.add_argument(
        "-o", dest="output", choices=("text", "json"), default="text", help="how to print"
    )
    parser.add_argument(
        "--passphrase-file",
        metavar="FILE",
        type=Path,
        help="user verification without a terminal (UNTETHER_PASSPHRASE_FILE)",
    )
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for family in _FAMILIES:
        family.add_parser(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
