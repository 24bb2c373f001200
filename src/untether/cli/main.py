"""``untether``: parse, run one verb, render errors, exit (docs/command-line.md).

:data:`VERBS` says which module has which verb. A module is imported only when its verb is on
the command line, because the relay's modules take longer to load than a message to send.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from errno import ENOSPC
from importlib import import_module
from typing import cast

from untether import __version__
from untether.base.errors import ExitStatus, PlatformError, UntetherError
from untether.cli.arguments import Parser, UsageError, add_common, unread
from untether.cli.errors import show_error

VERBS = {
    "serve": ("serve", "run a relay on this machine"),
    "invite": ("serve", "make an invitation for a relay"),
    "register": ("account", "make a new account; this device becomes its phone"),
    "recover": ("recover", "make this device the new phone of an account"),
    "link": ("link", "make this device a companion: show a code for the phone"),
    "devices": ("devices", "list, approve and log out the own devices"),
    "send": ("conversations", "write to somebody"),
    "receive": ("conversations", "print what came and was not printed yet"),
    "messages": ("conversations", "print the history on this device"),
    "contacts": ("people", "who I know"),
    "security-code": ("people", "the digits to compare with somebody"),
    "verify": ("people", "mark somebody as verified"),
    "status": ("account", "how this device stands"),
    "verify-web": ("verify_web", "compare the web app that a relay serves with the installed one"),
    "demo": ("demo.verb", "tell and check the story of two people and their devices"),
}
"""Verb → module and one line of help."""

AddArguments = Callable[[argparse.ArgumentParser], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        parsed = _parser(given).parse_args(given)
    except UsageError as error:
        show_error(error, unread(given))
        return error.exit_status
    try:
        status: int = parsed.run(parsed)
    except UntetherError as error:
        show_error(error, parsed)
        return error.exit_status
    except BrokenPipeError:
        _drop_output()
        return ExitStatus.OK
    except OSError as error:
        _drop_output()
        show_error(_system_failure(error), parsed)
        return ExitStatus.USER_ERROR
    return status


def _drop_output() -> None:
    """Nobody takes what is still to be written; Python would fail over it again at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _system_failure(error: OSError) -> PlatformError:
    if error.errno == ENOSPC:
        return PlatformError(
            "disk-full",
            "The disk is full.",
            "Free some space, then try again. What was not printed is printed next time.",
        )
    return PlatformError(
        "io-error",
        f"The system refused to read or write: {error.strerror or error}.",
        "Check the disk and where the output goes. What was not printed is printed next time.",
    )


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = Parser(
        prog="untether",
        description="End-to-end encrypted messages for one phone and up to four companions.",
    )
    parser.add_argument("--version", action="version", version=f"untether {__version__}")
    add_common(parser, suppress=False)
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, (module, summary) in VERBS.items():
        added = subparsers.add_parser(verb, help=summary, description=summary)
        add_common(added, suppress=True)
        if verb in given:
            family = import_module(f"untether.cli.{module}")
            add_arguments = cast("dict[str, AddArguments]", family.VERBS)[verb]
            add_arguments(added)
    return parser
