"""The verb ``recover``: this device becomes the phone of an account that exists."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from untether.base.errors import ExitStatus, LocalError
from untether.base.identifiers import DeviceNumber
from untether.base.limits import RECOVERY_TEXT_MAX
from untether.base.names import check_device_name, check_name
from untether.cli import ask
from untether.cli.account import default_device_name
from untether.cli.arguments import device_number, text
from untether.cli.errors import show_hint
from untether.cli.opening import with_new_client
from untether.cli.render import show_result
from untether.client.client import Client
from untether.device.events import RecoveryFound


def _recover_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--server", metavar="URL", required=True, help="address of the relay")
    parser.add_argument("--device-name", metavar="N", type=text, default=default_device_name())
    parser.add_argument("--recovery-file", metavar="F", type=Path, help="file with the code")
    keep = parser.add_mutually_exclusive_group()
    keep.add_argument(
        "--keep",
        metavar="NUMBER",
        type=device_number,
        action="append",
        default=None,
        help="keep this companion and no other that is not named (repeatable); don't ask",
    )
    keep.add_argument("--keep-all", action="store_true", help="keep all companions; don't ask")
    keep.add_argument("--keep-none", action="store_true", help="keep no companion; don't ask")
    parser.set_defaults(run=_recover)


def _recover(arguments: argparse.Namespace) -> int:
    check_name(arguments.name)
    check_device_name(arguments.device_name)

    async def get_code() -> str:
        if arguments.recovery_file is None:
            return await ask.line("Recovery code: ", without_terminal="Use --recovery-file FILE.")
        return await asyncio.to_thread(_code_from_file, arguments.recovery_file)

    async def which_stay(found: RecoveryFound) -> tuple[DeviceNumber, ...]:
        return await _which_stay(arguments, found)

    async def act(client: Client) -> int:
        recovered = await client.recover(
            arguments.name,
            device_name=arguments.device_name,
            get_code=get_code,
            which_stay=which_stay,
        )
        shown = {"account_id": recovered.account_id.hex(), "name": recovered.name}
        show_result(
            arguments,
            {**shown, "device": recovered.device},
            f"This is the phone of “{recovered.name}” now, device {recovered.device}.",
            "Your security codes are unchanged. The old phone is logged out.",
        )
        return ExitStatus.OK

    return with_new_client(arguments, act)


async def _which_stay(
    arguments: argparse.Namespace, found: RecoveryFound
) -> tuple[DeviceNumber, ...]:
    """Ask for each companion, unless the command line has said it."""
    if arguments.keep_all:
        return tuple(number for number, _ in found.companions)
    if arguments.keep_none:
        return ()
    if arguments.keep is not None:
        return tuple(DeviceNumber(number) for number in dict.fromkeys(arguments.keep))
    kept = []
    if found.companions:
        show_hint("These companions are on the account. `devices` on each shows its code:")
        show_hint(", ".join(f"device {number} {code}" for number, code in found.companions))
    for number, code in found.companions:
        question = f"Is device {number}, with the code {code}, yours, and in your hands?"
        if await ask.yes(question, without_terminal="Use --keep, --keep-all or --keep-none."):
            kept.append(number)
    return tuple(kept)


def _code_from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(RECOVERY_TEXT_MAX + 1)
        if len(data) <= RECOVERY_TEXT_MAX:
            return data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise _file_unreadable(f"The file {path} can't be read.") from error
    raise _file_unreadable(f"The file {path} is far too long for a recovery code.")


def _file_unreadable(message: str) -> LocalError:
    return LocalError(
        "recovery-file-unreadable",
        message,
        "Name a text file that holds the recovery code and nothing else.",
    )


VERBS = {"recover": _recover_arguments}
"""Verb → what adds its arguments."""
