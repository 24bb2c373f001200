"""What stands on a command line: reading values, and errors that programs can read too."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from untether.base.errors import ExitStatus, LocalError

_PORT_MAX = 65_535  # they have sixteen bits
_SECONDS_MAX = 10**9  # thirty years; event loops fail over much more


class UsageError(LocalError):
    """The command line itself is wrong."""

    exit_status = ExitStatus.USAGE


class Parser(argparse.ArgumentParser):
    """A parser whose errors are rendered like all others; options are never abbreviated.

    An abbreviation that works today would change its meaning with the next option.
    """

    def __init__(self, **settings: object) -> None:
        super().__init__(allow_abbrev=False, **settings)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing."""
        raise self._usage_error(f"{message[:1].upper()}{message[1:]}.")

    def _usage_error(self, message: str) -> UsageError:
        usage = " ".join(self.format_usage().split()).replace("usage:", "Usage:", 1)
        return UsageError("usage", message, f"{usage} — `{self.prog} --help` explains it.")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Say of a word in the place of a verb or action what could stand there.

        The default ``instead`` of a parser is for people who had something else in mind.
        """
        if not isinstance(action, argparse._SubParsersAction) or value in action.choices:
            super()._check_value(action, value)
            return
        instead = self.get_default("instead") or f"There are: {', '.join(action.choices)}."
        what = f"“{value}” is no {action.dest} of `{self.prog}`."
        raise self._usage_error(f"{what} {instead.format(word=value)}")


class Once(argparse.Action):
    """An option that a command line has once: of two texts, neither may vanish silently."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Take the value, unless there is one."""
        del parser, option_string
        if getattr(namespace, self.dest) is not None:
            raise argparse.ArgumentError(self, "it can be given only once")
        setattr(namespace, self.dest, values)


def _directory(given: str) -> Path:
    if not given:
        raise argparse.ArgumentTypeError("an empty name is no directory")
    return Path(given)


def add_common(parser: argparse.ArgumentParser, *, suppress: bool) -> None:
    """Add the options of all verbs, which may stand before or after verb and action."""
    unset = argparse.SUPPRESS if suppress else None
    output = argparse.SUPPRESS if suppress else "text"
    parser.add_argument(
        "--profile",
        metavar="DIR",
        type=_directory,
        default=unset,
        help="the device to act as (UNTETHER_PROFILE)",
    )
    parser.add_argument(
        "-o", dest="output", choices=("text", "json"), default=output, help="how to print"
    )
    parser.add_argument(
        "--passphrase-file",
        metavar="FILE",
        type=Path,
        default=unset,
        help="user verification without a terminal (UNTETHER_PASSPHRASE_FILE)",
    )


def add_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str
) -> argparse.ArgumentParser:
    """Add an action of a verb, e.g. ``devices approve``, with the options of all verbs."""
    parser = actions.add_parser(name, help=summary, description=summary)
    add_common(parser, suppress=True)
    return parser


def unread(given: Sequence[str]) -> argparse.Namespace:
    """Return what can be told of a command line that can't be parsed: whether it asks for JSON."""
    json_wanted = "-ojson" in given or ("-o", "json") in pairwise(given)
    return argparse.Namespace(
        output="json" if json_wanted else "text", profile=None, passphrase_file=None
    )


def text(value: str) -> str:
    """Read what other devices will see, as UTF-8 where the locale could not read it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        pass
    else:
        return value
    try:
        return os.fsencode(value).decode()
    except UnicodeDecodeError as error:
        raise argparse.ArgumentTypeError("it is not UTF-8 text") from error


def seconds(value: str) -> float:
    """Read a number of seconds."""
    try:
        number = float(value)
    except ValueError:
        number = -1
    if not 0 <= number < _SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"“{value}” is no number of seconds")
    return number


def count(value: str) -> int:
    """Read how many: one or more."""
    number = _whole_number(value)
    if number < 1:
        raise argparse.ArgumentTypeError(f"“{value}” is no number of 1 or more")
    return number


def device_number(value: str) -> int:
    """Read the number of a device."""
    number = _whole_number(value)
    if not 0 <= number < 2**31:
        raise argparse.ArgumentTypeError(f"“{value}” is no number of a device")
    return number


def port(value: str) -> int:
    """Read the number of a port."""
    number = _whole_number(value)
    if not 0 <= number <= _PORT_MAX:
        raise argparse.ArgumentTypeError(f"“{value}” is no port; there are 0 to {_PORT_MAX}")
    return number


def days(value: str) -> int:
    """Read a number of days."""
    number = _whole_number(value)
    if number < 1:
        raise argparse.ArgumentTypeError(f"“{value}” is no number of days")
    return number


def _whole_number(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else -1
