"""A slip of the finger, or the wrong file, costs a try and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from tests.commands.command_line import (
    COMMAND,
    PASSPHRASE,
    PATIENCE_S,
    Device,
    child_environment,
)
from tests.commands.conftest import MakeDevice
from tests.commands.relays import Relay

ON_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


class KeyStore:
    """Keeps the keys of databases, so that a passphrase is asked for the account alone."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Return what was stored."""
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store."""
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget."""
        del self.kept[service, username]


def test_a_wrong_passphrase_does_not_end_a_link(
    device: MakeDevice, relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new device goes on showing its code, and the phone's second try links it."""
    store = KeyStore()
    monkeypatch.setattr("untether.native.system_key_store", lambda: store)
    alice, laptop = device("alice-slips"), device("laptop")
    assert alice.run("register", alice.name, "--server", relay.url).status == 0
    linking = laptop.start("link", "--server", relay.url, "--account", alice.name)
    text = linking.until(lambda line: line.get("event") == "offer")["link_text"]
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    for written, code in (
        ("another phrase", "passphrase-wrong"),
        ("", "passphrase-file-unreadable"),
    ):
        wrong.write_text(written)
        refused = Device(alice.directory, wrong).run("devices", "approve", text, "--yes")
        assert (refused.status, refused.error["error"]) == (7, code)
        assert "run the same command again" in refused.error["hint"]
        assert [line["device"] for line in alice.run("devices").lines] == [0]
    approved = alice.run("devices", "approve", text, "--yes")
    assert approved.line["event"] == "linked", approved.errors
    linked = linking.end()
    assert (linked.status, linked.lines[-1]["event"]) == (0, "linked")
    assert [line["device"] for line in laptop.run("devices").lines] == [0, 1]


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        (("wrong", PASSPHRASE), 0),
        (("wrong", "wrong again", PASSPHRASE), 0),
        (("wrong", "wrong again", "and again"), 7),
    ],
)
def test_a_slip_at_the_terminal(person: MakeDevice, typed: tuple[str, ...], status: int) -> None:
    """Each slip is said and asked again; after the third the command ends with 7."""
    alice = person("alice")
    command = (*COMMAND, "--profile", str(alice.directory), "contacts")
    terminal = subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_environment(),
    )
    assert terminal.stdin is not None
    assert terminal.stdout is not None
    for number, phrase in enumerate(typed):
        asked = _read_until(terminal.stdout, b"Passphrase: ")
        assert (b"The passphrase is wrong. Once more." in asked) is (number > 0)
        terminal.stdin.write(f"{phrase}\n".encode())
        terminal.stdin.flush()
    shown = terminal.stdout.read()
    terminal.stdin.close()
    terminal.stdout.close()
    assert terminal.wait(PATIENCE_S) == status, shown
    assert (b"[passphrase-wrong]" in shown) is (status == 7)


def _read_until(stream: IO[bytes], end: bytes) -> bytes:
    read = b""
    while not read.endswith(end):
        more = stream.read(1)
        assert more, read
        read += more
    return read
