"""The recovery code is shown until somebody can have seen it, and then never again."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from tests.commands.command_line import (
    COMMAND,
    PATIENCE_S,
    Device,
    child_environment,
    command_in,
    in_process,
)
from tests.commands.conftest import MakeDevice
from tests.commands.relays import Relay

from untether.native import NativeClient


def register_and_die(phone: Device, relay: Relay) -> str:
    """Register as a process does that is killed before it prints; returns the code."""

    async def register() -> str:
        async with NativeClient.create(
            phone.directory, relay.url, passphrase_file=phone.passphrase_file
        ) as client:
            return (await client.register(phone.name, device_name="phone")).recovery_code

    return asyncio.run(register())


def test_a_code_that_nobody_saw_is_shown_by_the_same_command(
    device: MakeDevice, relay: Relay, tmp_path: Path
) -> None:
    """Killed after the account was made: the code comes with the next try, and works."""
    alice, new = device("alice-unseen"), device("new")
    code = register_and_die(alice, relay)
    register = ("register", alice.name, "--server", relay.url)
    shown = alice.run(*register)
    assert (shown.status, shown.line["recovery_code"]) == (0, code)
    again = alice.run(*register)
    assert (again.status, again.error["error"]) == (1, "already-registered")
    file = tmp_path / "code"
    file.write_text(code)
    recover = ("recover", alice.name, "--server", relay.url, "--recovery-file", file, "--keep-none")
    assert new.run(*recover).status == 0


def test_a_code_that_could_not_be_printed_comes_again(device: MakeDevice, relay: Relay) -> None:
    """A full disk behind stdout: the account is made, the code is not lost."""
    alice = device("alice-unprinted")
    register = ("register", alice.name, "--server", relay.url)
    with Path("/dev/full").open("wb") as full:
        failed = subprocess.run(
            [*COMMAND, *map(str, alice.options), "-o", "json", *register],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            env=child_environment(),
            timeout=PATIENCE_S,
        )
    assert failed.returncode == 1
    assert alice.run("status").line["state"] == "active"
    assert alice.run(*register).line["recovery_code"]


def test_it_takes_the_passphrase_and_the_name(
    device: MakeDevice, relay: Relay, tmp_path: Path
) -> None:
    """Who has the open profile but not the passphrase of the account sees no code."""
    alice = device("alice-sealed")
    register_and_die(alice, relay)
    other = alice.run("register", "somebody-else", "--server", relay.url)
    assert (other.status, other.error["error"]) == (1, "already-registered")
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("another passphrase")
    refused = Device(alice.directory, wrong).run("register", alice.name, "--server", relay.url)
    assert (refused.status, refused.error["error"]) == (7, "passphrase-wrong")
    assert alice.run("register", alice.name, "--server", relay.url).line["recovery_code"]


def test_an_account_with_its_code_unseen_says_so(device: MakeDevice, relay: Relay) -> None:
    """`status` names the command that shows it, until it was seen."""
    alice = device("alice-told")
    register_and_die(alice, relay)
    assert alice.run("status").line["recovery_code_unseen"] is True
    shown = in_process(*command_in(alice.text("status").output))
    assert "Recovery code" in shown.output
    assert alice.run("status").line["recovery_code_unseen"] is False
    assert "register" not in alice.text("status").output
