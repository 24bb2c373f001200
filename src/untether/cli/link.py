"""The verb ``link``: this device becomes a companion of an account."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from untether.base.errors import ExitStatus
from untether.base.names import check_device_name
from untether.cli import ask
from untether.cli.account import default_device_name
from untether.cli.arguments import seconds, text
from untether.cli.errors import show_notice
from untether.cli.opening import with_new_client
from untether.cli.render import local_time, show_json, show_result, show_text, timestamp
from untether.client.client import Client
from untether.device.events import LinkAnswered, LinkOffered


def _link_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server", metavar="URL", required=True, help="address of the relay")
    parser.add_argument("--device-name", metavar="N", type=text, default=default_device_name())
    parser.add_argument("--qr-png", metavar="FILE", type=Path, help="save the QR code as an image")
    parser.add_argument(
        "--account",
        metavar="NAME",
        type=text,
        help="answer yes for this account, and no for any other",
    )
    parser.add_argument("--timeout", metavar="S", type=seconds, help="give up after so long")
    parser.set_defaults(run=_link)


def _link(arguments: argparse.Namespace) -> int:
    check_device_name(arguments.device_name)

    def on_offer(offered: LinkOffered) -> None:
        _show_offer(arguments, offered)

    async def is_mine(answered: LinkAnswered) -> bool:
        if arguments.account not in (None, answered.account_name):
            return False
        _show_answer(arguments, answered)
        if arguments.account is not None:
            return True
        return await ask.yes("Is this your account?", without_terminal="Use --account NAME.")

    async def act(client: Client) -> int:
        linked = await client.link(
            device_name=arguments.device_name,
            device_kind="desktop",
            on_offer=on_offer,
            is_mine=is_mine,
            on_taken_up=partial(_show_taken_up, arguments),
            timeout_s=arguments.timeout,
        )
        shown = {"event": "linked", "account_id": linked.account_id.hex()}
        show_result(
            arguments,
            {**shown, "name": linked.name, "device": linked.device},
            f"Linked: this is device {linked.device} of “{linked.name}” now.",
        )
        return ExitStatus.OK

    return with_new_client(arguments, act)


def _show_taken_up(arguments: argparse.Namespace) -> None:
    line = "Your phone has answered already, so there is no new code; this link goes on."
    show_notice("link-goes-on", line, {}, arguments)


def _show_answer(arguments: argparse.Namespace, answered: LinkAnswered) -> None:
    account, phone = answered.account_name, answered.phone_name
    line = (
        f"“{phone}”, the phone of “{account}”, answered. "
        f"It must show this code now: {answered.certificate_code}"
    )
    details = {"name": account, "phone": phone, "code": answered.certificate_code}
    show_notice("compare-codes", line, details, arguments)


def _show_offer(arguments: argparse.Namespace, offered: LinkOffered) -> None:
    """Save the image first: a program that reads of the offer may open it at once."""
    from untether.adapters.qr import render_terminal, save_png  # noqa: PLC0415 (slow to load)

    if arguments.qr_png is not None:
        save_png(offered.link_text, arguments.qr_png)
    if arguments.output == "json":
        shown = {"event": "offer", "link_text": offered.link_text}
        show_json({**shown, "expires_at": timestamp(offered.expires_at)})
        return
    show_text("On your phone: untether devices approve, with this QR code or this text.")
    show_text()
    show_text(render_terminal(offered.link_text, colour=False))
    show_text(offered.link_text)
    show_text()
    show_text(f"It is valid until {local_time(offered.expires_at)}. Waiting for your phone …")


VERBS = {"link": _link_arguments}
"""Verb → what adds its arguments."""
