"""What the command line prints on stderr: errors and hints, as text or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from untether.base.errors import UntetherError

_HARMLESS = "\n\t\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Lines and tabs; the joiners belong to Persian, to Indian scripts and to many emoji."""


def show_hint(line: str) -> None:
    """Print one line beside the results, on stderr."""
    print(printable(line), file=sys.stderr, flush=True)


def show_error(error: UntetherError, *, json_wanted: bool) -> None:
    """Print on stderr what ended the command, or one of the things that it should do."""
    _show("error", error, json_wanted=json_wanted)


def show_warning(error: UntetherError, *, json_wanted: bool) -> None:
    """Print on stderr what went wrong without ending the command."""
    _show("notice", error, json_wanted=json_wanted)


def _show(kind: str, error: UntetherError, *, json_wanted: bool) -> None:
    if json_wanted:
        value = {kind: error.code, "message": error.message, "hint": error.hint}
        print(json_line({**value, **error.details}), file=sys.stderr, flush=True)
        return
    show_hint(f"untether: {error.message} [{error.code}]")
    if error.hint:
        show_hint(f"          {error.hint}")


def show_notice(
    code: str, line: str, details: Mapping[str, int | str | None], *, json_wanted: bool
) -> None:
    """Print on stderr what people should know besides the results."""
    if json_wanted:
        value = {"notice": code, "message": line}
        print(json_line({**value, **details}), file=sys.stderr, flush=True)
    else:
        show_hint(f"• {line}")


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
