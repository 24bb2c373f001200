"""The verb ``devices``: list, approve and log out the own devices; choose their lease."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from untether.base.errors import ExitStatus
from untether.base.identifiers import HOUR_MS, DeviceNumber, UnixMillis
from untether.cli import ask
from untether.cli.arguments import add_action, days, device_number
from untether.cli.errors import show_hint, show_notice, show_warning
from untether.cli.opening import with_client
from untether.cli.render import local_hour, local_time, show_result, timestamp
from untether.client.client import Client
from untether.device.events import LinkCertified, LinkRequested
from untether.device.own_devices import OwnDeviceView
from untether.protocol.identity.certificate import Role


def _devices_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_list)
    actions = parser.add_subparsers(
        dest="action", metavar="[ACTION]", title="actions", description="without one: list them"
    )
    approve = add_action(actions, "approve", "on the phone: link a new device")
    source = approve.add_mutually_exclusive_group(required=True)
    source.add_argument("link_text", metavar="LINK_TEXT", nargs="?", help="untether://link/…")
    source.add_argument("--qr-image", metavar="FILE", type=Path, help="read the QR code from it")
    approve.add_argument("--yes", action="store_true", help="don't ask whether to link it")
    approve.set_defaults(run=_approve)
    logout = add_action(actions, "logout", "log a device out")
    logout.add_argument("number", metavar="NUMBER", type=device_number)
    logout.add_argument("--wipe", action="store_true", help="it erases its messages too")
    logout.set_defaults(run=_logout)
    lease = add_action(actions, "lease", "on the phone: how long companions go on without it")
    lease.add_argument("days", metavar="DAYS", type=days, help="2 to 180; 30 unless chosen")
    lease.set_defaults(run=_lease)


def _list(arguments: argparse.Namespace) -> int:
    async def act(client: Client) -> int:
        async with client.online_if_possible(to_read=True) as unreachable:
            devices = await client.devices()
        for device in devices:
            line = _device_line(device, _active(device, client.driver.now()))
            show_result(arguments, _device_json(device), line)
        if unreachable is not None:
            show_warning(unreachable, arguments)
        return ExitStatus.OK

    return with_client(arguments, act)


def _device_json(device: OwnDeviceView) -> dict[str, object]:
    active = device.last_active_at
    return {
        "device": device.device,
        "name": device.name,
        "kind": device.kind,
        "platform": device.platform,
        "added_at": None if device.added_at is None else timestamp(device.added_at),
        "last_active_at": None if active is None else timestamp(active),
        "this": device.this,
        "role": device.role.name.lower(),
        "code": device.certificate_code,
        "resigned": device.resigned,
    }


def _active(device: OwnDeviceView, now: UnixMillis) -> str:
    """Say when a device was last connected; the relay tells only in which hour that was."""
    if device.last_active_at is None:
        return "last active: unknown"
    if now - device.last_active_at < HOUR_MS:
        return "active within the last hour"
    return f"active {local_hour(device.last_active_at)}"


def _device_line(device: OwnDeviceView, active: str) -> str:
    kind = "phone" if device.role is Role.PRIMARY else device.kind or "companion"
    kind_shown = f"{kind}, {device.platform}" if device.platform else kind
    added = "" if device.added_at is None else f"added {local_time(device.added_at)}"
    this = "  ← this device" if device.this else ""
    name = device.name or "(name not known yet)"
    return (
        f"{device.device:>4}  {name:<24} {kind_shown:<15} {added}  {active}  "
        f"{device.certificate_code}{this}"
    )


def _approve(arguments: argparse.Namespace) -> int:
    link_text = _link_text(arguments)

    async def may_link(requested: LinkRequested) -> bool:
        runs_on = f", {requested.device_platform}" if requested.device_platform else ""
        shown = f"“{requested.device_name}” ({requested.device_kind}{runs_on})"
        if arguments.yes:
            return True
        show_hint(f"{shown} wants to be linked. It will read and send all your messages.")
        return await ask.yes("Link it?", without_terminal="Use --yes.")

    async def act(client: Client) -> int:
        linked = await client.approve(link_text, may_link, partial(_show_code, arguments))
        shown = {"event": "linked", "device": linked.device, "name": linked.name}
        show_result(
            arguments,
            {**shown, "code": linked.certificate_code},
            f"Linked: “{linked.name}” is device {linked.device} of your account now.",
        )
        return ExitStatus.OK

    return with_client(arguments, act)


def _show_code(arguments: argparse.Namespace, certified: LinkCertified) -> None:
    name, code = certified.device_name, certified.certificate_code
    line = f"“{name}” must show this code now: {code}. Say yes there only if it does."
    details = {"name": name, "code": code}
    show_notice("compare-codes", line, details, arguments)


def _link_text(arguments: argparse.Namespace) -> str:
    if arguments.qr_image is None:
        text: str = arguments.link_text
        return text.strip()
    from untether.adapters.qr import read_link_text  # noqa: PLC0415 (slow to load)

    return read_link_text(arguments.qr_image)


def _logout(arguments: argparse.Namespace) -> int:
    number = DeviceNumber(arguments.number)

    async def act(client: Client) -> int:
        async with client.online():
            await client.log_out(number, wipe=arguments.wipe)
        show_result(
            arguments,
            {"event": "logged-out", "device": number, "wipe": arguments.wipe},
            f"Device {number} is logged out.",
        )
        return ExitStatus.OK

    return with_client(arguments, act)


def _lease(arguments: argparse.Namespace) -> int:
    async def act(client: Client) -> int:
        async with client.online():
            ends_at = await client.set_lease(arguments.days)
        shown = {"days": arguments.days, "lease_ends_at": timestamp(ends_at)}
        line = f"Companions go on without the phone for {arguments.days} days from its last visit."
        show_result(arguments, shown, line)
        return ExitStatus.OK

    return with_client(arguments, act)


VERBS = {"devices": _devices_arguments}
"""Verb → what adds its arguments."""
