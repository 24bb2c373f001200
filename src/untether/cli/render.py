"""What the command line prints: text for people, one JSON object per line for programs."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from untether.base.errors import PlatformError
from untether.base.identifiers import HOUR_MS, UnixMillis
from untether.cli.errors import json_line, pasteable, printable, show_notice
from untether.client.client import Client
from untether.client.notice_words import notice_text
from untether.client.people import NamedMessage, NamedNotice

_NEXT_LINE = "\n" + " " * 18
"""So that no line of a message looks like the beginning of another message."""


def show_result(arguments: argparse.Namespace, value: dict[str, Any], *lines: str) -> None:
    """Print one result in the wanted form: ``value`` for programs, ``lines`` for people."""
    if arguments.output == "json":
        show_json(value)
        return
    for line in lines:
        show_text(line)


def show_json(value: dict[str, Any]) -> None:
    """Print one JSON object on one line."""
    print(json_line(value), flush=True)


def show_text(line: str = "") -> None:
    """Print one line; a file of another encoding gets replacements, never a traceback."""
    encoding = sys.stdout.encoding or "utf-8"
    print(printable(line).encode(encoding, "replace").decode(encoding), flush=True)


def timestamp(time: UnixMillis) -> str:
    """Spell a time for programs: ISO 8601 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(time / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_time(time: UnixMillis) -> str:
    """Spell a time for people, in their time zone."""
    return datetime.fromtimestamp(time / 1000).astimezone().strftime("%Y-%m-%d %H:%M")


def local_hour(time: UnixMillis) -> str:
    """Spell an hour for people, from its beginning to its end."""
    return f"{local_time(time)}–{local_time(UnixMillis(time + HOUR_MS))[-5:]}"


def message_json(shown: NamedMessage) -> dict[str, Any]:
    """Return the JSON shape of a message."""
    message = shown.message
    return {
        "message_id": message.message_id.hex(),
        "from": shown.author,
        "from_device": message.author_device,
        "conversation": shown.other,
        "conversation_id": message.other.hex(),
        "sent_at": timestamp(message.sent_at),
        "text": message.text,
        "outgoing": message.outgoing,
        "state": message.state if message.outgoing else "received",
        "known": shown.known,
        "recovered": message.recovered,
    }


def message_line(shown: NamedMessage) -> str:
    """Return a message as one line for people (more when its text has more)."""
    message = shown.message
    who = f"{shown.author} → {shown.other}" if message.outgoing else shown.author
    who = who if shown.known else f"{who} (not a contact)"
    state = f"  [{message.state}]" if message.outgoing else ""
    state += "  [sent again]" if message.recovered else ""
    text = message.text.replace("\n", _NEXT_LINE)
    return f"{local_time(message.sent_at)}  {who}: {text}{state}"


def notice_line(named: NamedNotice) -> str:
    """Return a notice for people at a terminal; see :func:`notice_text`."""
    return notice_text(named, spell_time=local_time)


def show_notices(client: Client, arguments: argparse.Namespace) -> None:
    """Print what people should know, beside the results; then it counts as shown."""
    waiting = client.notices()
    for one in waiting:
        line = pasteable(notice_line(one), arguments)
        details = {"about": one.about, **one.notice.details}
        show_notice(one.notice.code, line, details, arguments)
    if waiting:
        with suppress(PlatformError):  # shown twice rather than never
            client.mark_shown(waiting)
