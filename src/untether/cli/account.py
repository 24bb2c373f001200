"""The verbs of the own account: ``register`` and ``status``."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Iterator

from untether.base.errors import ExitStatus
from untether.base.limits import DEVICE_NAME_MAX
from untether.base.names import check_device_name, check_name
from untether.cli.arguments import text
from untether.cli.errors import pasteable, show_warning
from untether.cli.opening import with_client, with_new_client
from untether.cli.render import local_time, show_result, timestamp
from untether.client.account import Standing, check_invitation
from untether.client.client import Client


def _register_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--server", metavar="URL", required=True, help="address of the relay")
    parser.add_argument("--device-name", metavar="N", type=text, default=default_device_name())
    parser.add_argument("--invitation", metavar="CODE", type=text)
    parser.set_defaults(run=_register)


def _status_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_status)


def default_device_name() -> str:
    """Return what the owner calls this machine, else what it is."""
    return (platform.node() or platform.system() or "device")[:DEVICE_NAME_MAX]


def _register(arguments: argparse.Namespace) -> int:
    check_name(arguments.name)
    check_device_name(arguments.device_name)
    check_invitation(arguments.invitation)

    async def act(client: Client) -> int:
        registered = await client.register(
            arguments.name,
            device_name=arguments.device_name,
            invitation=arguments.invitation,
        )
        show_result(
            arguments,
            {
                "account_id": registered.account_id.hex(),
                "name": registered.name,
                "device": registered.device,
                "recovery_code": registered.recovery_code,
            },
            f"You are “{registered.name}” now, and this device is your phone.",
            "",
            "Recovery code, shown only this once:",
            "",
            f"    {registered.recovery_code}",
            "",
            "Keep it on paper. Whoever has it can act as you; without it, a lost phone",
            "means a new account.",
        )
        client.mark_recovery_code_seen()
        return ExitStatus.OK

    return with_new_client(arguments, act)


def _status(arguments: argparse.Namespace) -> int:
    async def act(client: Client) -> int:
        async with client.online_if_possible(to_read=True) as unreachable:
            standing = await client.status()
        lines = _standing_lines(standing, arguments)
        show_result(arguments, _standing_json(standing), *lines)
        if unreachable is not None:
            show_warning(unreachable, arguments)
        return ExitStatus.OK

    return with_client(arguments, act)


def _standing_json(standing: Standing) -> dict[str, object]:
    return {
        "name": standing.name,
        "account_id": standing.account_id.hex(),
        "device": standing.device,
        "role": standing.role,
        "state": standing.state,
        "relay": standing.relay,
        "connected": standing.connected,
        "mailbox_entries": standing.mailbox_entries,
        "prekeys": standing.prekeys,
        "lease_ends_at": timestamp(standing.lease_ends_at),
        "list_version": standing.list_version,
        "unreadable": standing.unreadable,
        "repairing": standing.repairing,
        "recovery_code_unseen": standing.recovery_code_unseen,
    }


def _standing_lines(standing: Standing, arguments: argparse.Namespace) -> Iterator[str]:
    kind = "phone" if standing.role == "primary" else "companion"
    yield f"{standing.name}, device {standing.device} ({kind}, {standing.state})"
    reachable = "connected" if standing.connected else "not connected"
    yield f"relay:        {standing.relay} ({reachable})"
    if standing.mailbox_entries is not None:
        yield f"mailbox:      {standing.mailbox_entries} waiting"
        yield f"keys left:    {standing.prekeys} for new conversations"
    yield f"device list:  {standing.list_version}, until {local_time(standing.lease_ends_at)}"
    if standing.repairing:
        yield f"asked for:    {standing.repairing} messages that could not be read"
    if standing.unreadable:
        yield f"unreadable:   {standing.unreadable} messages"
    if standing.recovery_code_unseen:
        again = f"`untether register {standing.name} --server {standing.relay}`"
        yield pasteable(f"recovery:     the code was not shown yet; see {again}", arguments)


VERBS = {"register": _register_arguments, "status": _status_arguments}
"""Verb → what adds its arguments."""
