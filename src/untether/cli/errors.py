"""What the command line prints on stderr: errors and hints, as text or JSON."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from untether.base.errors import UntetherError

_HARMLESS = "\n\t\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Lines and tabs; the joiners belong to Persian, to Indian scripts and to many emoji."""

_COMMAND = re.compile(r"`untether (?!--profile )")


def show_hint(line: str) -> None:
    """Print one line beside the results, on stderr."""
    print(printable(line), file=sys.stderr, flush=True)


def show_error(error: UntetherError, arguments: argparse.Namespace) -> None:
    """Print on stderr what ended the command, or one of the things that it should do."""
    _show("error", error, arguments)


def show_warning(error: UntetherError, arguments: argparse.Namespace) -> None:
    """Print on stderr what went wrong without ending the command."""
    _show("notice", error, arguments)


def _show(kind: str, error: UntetherError, arguments: argparse.Namespace) -> None:
    hint = pasteable(error.hint, arguments)
    if arguments.output == "json":
        value = {kind: error.code, "message": error.message, "hint": hint}
        print(json_line({**value, **error.details}), file=sys.stderr, flush=True)
        return
    show_hint(f"untether: {error.message} [{error.code}]")
    if hint:
        show_hint(f"          {hint}")


def show_notice(
    code: str, line: str, details: Mapping[str, int | str | None], arguments: argparse.Namespace
) -> None:
    """Print on stderr what people should know besides the results."""
    if arguments.output == "json":
        value = {"notice": code, "message": line}
        print(json_line({**value, **details}), file=sys.stderr, flush=True)
    else:
        show_hint(f"• {line}")


def pasteable(text: str, arguments: argparse.Namespace) -> str:
    """Give the commands in a text the options by which this command acts as this device.

    A command for another device brings a ``--profile`` of its own, or is named by its verb.
    """
    options = {"--profile": arguments.profile, "--passphrase-file": arguments.passphrase_file}
    given = "".join(
        f"{name} {shlex.quote(str(value))} " for name, value in options.items() if value
    )
    return _COMMAND.sub(lambda found: found[0] + given, text)


def json_line(value: Mapping[str, Any]) -> str:
    """Encode an object as one line of ASCII, whatever the locale and however lines are split."""
    return json.dumps(value)


def printable(text: str) -> str:
    """Replace control characters, so that a message can't steer somebody's terminal."""
    return "".join(
        character
        if character.isprintable() or character in _HARMLESS
        else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )
