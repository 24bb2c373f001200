"""The verbs about people: ``contacts``, ``contacts accept``, ``security-code`` and ``verify``."""

from __future__ import annotations

import argparse
from pathlib import Path

from untether.base.errors import ExitStatus
from untether.base.identifiers import short_id
from untether.cli.arguments import add_action, text
from untether.cli.errors import pasteable
from untether.cli.opening import with_client
from untether.cli.render import show_json, show_result, show_text, timestamp
from untether.client.client import Client
from untether.client.people import Person, SecurityCode
from untether.protocol.identity.security_code import format_security_code

_INSTEAD = (
    "It lists everybody. For one person there are `untether messages --with {word}` "
    "and `untether security-code {word}`."
)


def _contacts_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_contacts, instead=_INSTEAD)
    actions = parser.add_subparsers(
        dest="action", metavar="[ACTION]", title="actions", description="without one: list them"
    )
    accept = add_action(actions, "accept", "accept that a name is another account now")
    accept.add_argument("name", metavar="NAME", type=text)
    accept.set_defaults(run=_accept)


def _security_code_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", type=text)
    parser.add_argument("--qr-png", metavar="FILE", type=Path, help="save the QR code as an image")
    parser.set_defaults(run=_security_code)


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", type=text)
    parser.add_argument(
        "--qr-image", metavar="FILE", type=Path, help="compare the QR code on their screen"
    )
    parser.set_defaults(run=_verify)


def _contacts(arguments: argparse.Namespace) -> int:
    async def act(client: Client) -> int:
        for person in client.contacts():
            show_result(arguments, _person_json(person), _person_line(person, arguments))
        return ExitStatus.OK

    return with_client(arguments, act)


def _person_json(person: Person) -> dict[str, object]:
    return {
        "name": person.name,
        "account_id": person.account_id.hex(),
        "verified": person.verified,
        "changed": person.changed,
        "added_at": timestamp(person.added_at),
    }


def _person_line(person: Person, arguments: argparse.Namespace) -> str:
    verified = "verified" if person.verified else "not verified"
    accept = pasteable(f"`untether contacts accept {person.name}`", arguments)
    changed = f"  CHANGED: {accept}" if person.changed else ""
    return f"{person.name:<20} {short_id(person.account_id)}  {verified}{changed}"


def _accept(arguments: argparse.Namespace) -> int:
    async def act(client: Client) -> int:
        await client.accept(arguments.name)
        show_result(
            arguments,
            {"name": arguments.name, "accepted": True},
            f"“{arguments.name}” is the new account from now on, not verified yet.",
        )
        return ExitStatus.OK

    return with_client(arguments, act)


def _security_code(arguments: argparse.Namespace) -> int:
    async def act(client: Client) -> int:
        async with client.online_if_possible():
            code = await client.security_code(arguments.name)
        if arguments.qr_png is not None:
            _save_code(code, arguments.qr_png)
        if arguments.output == "json":
            shown = {"name": code.name, "code": code.code, "verified": code.verified}
            show_json({**shown, "qr_text": code.qr_text})
        else:
            _show_code(code, arguments)
        return ExitStatus.OK

    return with_client(arguments, act)


def _save_code(code: SecurityCode, path: Path) -> None:
    from untether.adapters.qr import save_png  # noqa: PLC0415 (slow to load)

    save_png(code.qr_text, path)


def _show_code(code: SecurityCode, arguments: argparse.Namespace) -> None:
    from untether.adapters.qr import render_terminal  # noqa: PLC0415 (slow to load)

    show_text(f"Compare with {code.name}, face to face or by phone:")
    show_text()
    show_text(format_security_code(code.code))
    show_text()
    show_text(render_terminal(code.qr_text, colour=False))
    show_text()
    show_text(
        "You have verified this before."
        if code.verified
        else pasteable(f"If both see the same digits: `untether verify {code.name}`", arguments)
    )


def _verify(arguments: argparse.Namespace) -> int:
    qr_text = None if arguments.qr_image is None else _security_text(arguments.qr_image)

    async def act(client: Client) -> int:
        await client.verify(arguments.name, qr_text)
        show_result(
            arguments,
            {"name": arguments.name, "verified": True},
            f"“{arguments.name}” is verified on this device; your others have marks of their own.",
        )
        return ExitStatus.OK

    return with_client(arguments, act)


def _security_text(path: Path) -> str:
    from untether.adapters.qr import read_security_text  # noqa: PLC0415 (slow to load)

    return read_security_text(path)


VERBS = {
    "contacts": _contacts_arguments,
    "security-code": _security_code_arguments,
    "verify": _verify_arguments,
}
"""Verb → what adds its arguments."""
