"""The verbs of conversations: ``send``, ``receive`` and ``messages``."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from untether.base.errors import ExitStatus, LocalError, UntetherError
from untether.base.limits import TEXT_MAX
from untether.cli.arguments import Once, count, seconds, text
from untether.cli.errors import pasteable, show_error, show_warning
from untether.cli.opening import with_client
from untether.cli.render import (
    message_json,
    message_line,
    show_json,
    show_notices,
    show_result,
    show_text,
)
from untether.client import receiving
from untether.client.client import Client
from untether.client.people import NamedMessage
from untether.client.sending import Sent
from untether.client.waiting_words import CAUSES


def _send_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="+", type=text)
    message = parser.add_mutually_exclusive_group(required=True)
    message.add_argument(
        "-m", dest="text", metavar="TEXT", type=text, action=Once, help="what to write"
    )
    message.add_argument("--message-from-stdin", action="store_true", help="read it from stdin")
    parser.set_defaults(run=_send)


def _receive_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--timeout", metavar="S", type=seconds, help="wait so long for more")
    parser.add_argument("--follow", action="store_true", help="go on until interrupted")
    parser.add_argument("--max", metavar="N", type=count, help="end after so many messages")
    parser.set_defaults(run=_receive)


def _messages_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--with", dest="with_name", metavar="NAME", type=text, help="only with somebody"
    )
    parser.add_argument("--limit", metavar="N", type=count, default=50, help="newest N (50)")
    parser.set_defaults(run=_messages)


def _send(arguments: argparse.Namespace) -> int:
    written = _text_from_stdin() if arguments.message_from_stdin else arguments.text

    async def act(client: Client) -> int:
        status = ExitStatus.OK
        async with client.online_if_possible() as unreachable:
            for name in dict.fromkeys(arguments.names):
                try:
                    _show_sent(arguments, await client.send(name, written))
                except UntetherError as error:
                    show_error(error, arguments)
                    status = error.exit_status
        if unreachable is not None and status is ExitStatus.OK:
            show_warning(_kept(unreachable), arguments)
        return status

    return with_client(arguments, act)


def _kept(unreachable: UntetherError) -> UntetherError:
    hint = "The message is kept and leaves with the next connection."
    return UntetherError(unreachable.code, unreachable.message, hint)


def _text_from_stdin() -> str:
    data = sys.stdin.buffer.read(TEXT_MAX + 2)
    try:
        return data.decode().removesuffix("\n")
    except UnicodeDecodeError as error:
        raise LocalError(
            "message-not-text",
            "What came on stdin is not UTF-8 text, or is too long.",
            f"At most {TEXT_MAX} bytes of text can be sent.",
        ) from error


def _show_sent(arguments: argparse.Namespace, sent: Sent) -> None:
    value = {
        "to": sent.to,
        "message_id": sent.message_id.hex(),
        "state": sent.state,
        "devices": sent.devices,
    }
    plural = "" if sent.devices == 1 else "s"
    reached = f" to {sent.devices} device{plural}" if sent.devices else ""
    words = pasteable(CAUSES.get(sent.cause, sent.cause), arguments)
    cause = f": {words}" if sent.cause else ""
    show_result(
        arguments,
        {**value, "cause": sent.cause} if sent.cause else value,
        f"{sent.to}: {sent.state}{reached}{cause}  {sent.message_id.hex()}",
    )


def _receive(arguments: argparse.Namespace) -> int:
    async def act(client: Client) -> int:
        with client.receive_alone(), client.driver.listening() as heard:
            if arguments.follow or arguments.timeout is not None:
                return await _follow(arguments, client, heard)
            show = partial(_show_message, arguments)
            async with client.online():
                try:
                    await receiving.drain(client.driver, heard)
                finally:
                    receiving.print_unprinted(client.driver, show, arguments.max)
                await receiving.settle(client.driver)
        return ExitStatus.OK

    return with_client(arguments, act)


async def _follow(arguments: argparse.Namespace, client: Client, heard: receiving.Heard) -> int:
    def on_failure(error: UntetherError) -> None:
        show_warning(error, arguments)

    def show(shown: NamedMessage) -> None:
        _show_message(arguments, shown)
        show_notices(client, arguments)

    async with receiving.kept_connected(client.driver, on_failure) as connection:
        await receiving.follow(
            client.driver,
            heard,
            connection,
            show,
            limit=arguments.max,
            timeout_s=arguments.timeout,
        )
        await receiving.settle(client.driver)
    return ExitStatus.OK


def _show_message(arguments: argparse.Namespace, shown: NamedMessage) -> None:
    if arguments.output == "json":
        show_json(message_json(shown))
    else:
        show_text(message_line(shown))


def _messages(arguments: argparse.Namespace) -> int:
    async def act(client: Client) -> int:
        for shown in client.messages(arguments.with_name, arguments.limit):
            _show_message(arguments, shown)
        return ExitStatus.OK

    return with_client(arguments, act)


VERBS = {
    "send": _send_arguments,
    "receive": _receive_arguments,
    "messages": _messages_arguments,
}
"""Verb → what adds its arguments."""
