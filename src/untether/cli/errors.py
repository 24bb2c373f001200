"""What the command line prints on stderr: errors and hints, as text or JSON."""

from __future__ import annotations

import json
import sys

from untether.base.errors import UntetherError


def show_hint(line: str) -> None:
    """Print one line beside the results, on stderr."""
    print(printable(line), file=sys.stderr, flush=True)


def show_error(error: UntetherError, *, json_wanted: bool) -> None:
    """Print an error on stderr."""
    if json_wanted:
        value = {"error": error.code, "message": error.message, "hint": error.hint}
        print(json.dumps({**value, **error.details}, ensure_ascii=False), file=sys.stderr)
        return
    show_hint(f"untether: {error.message} [{error.code}]")
    if error.hint:
        show_hint(f"          {error.hint}")


def printable(text: str) -> str:
    """Replace control characters, so that a message can't steer somebody's terminal."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )
