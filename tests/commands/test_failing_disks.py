"""Disks that are full, or that nobody may write to: reading works, the rest says why not."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.commands.command_line import COMMAND, PATIENCE_S, Device, Ended, child_environment
from tests.commands.conftest import MakeDevice
from tests.commands.relays import Relay

from untether.client.driver import Driver

DROP_BOUNDING_CAPABILITY = 24
WRITE_EVERYWHERE, READ_EVERYWHERE = 1, 2


def check_failure(ended: Ended, code: str) -> None:
    """Check that a command failed over the disk, and that the next step is named."""
    assert (ended.status, ended.error["error"]) == (1, code), ended.errors
    assert ended.error["hint"]
    assert ended.output == ""


def run(device: Device, prepare: Callable[[], object], *arguments: str) -> Ended:
    """Run a command in a process of its own that is prepared first."""
    ended = subprocess.run(
        [*COMMAND, *map(str, device.options), "-o", "json", *arguments],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=child_environment(PYTHONDONTWRITEBYTECODE="1"),
        timeout=PATIENCE_S,
        preexec_fn=prepare,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def with_small_files(device: Device, bytes_max: int, *arguments: str) -> Ended:
    """Run a command that can't make any file longer than this, as on a full disk."""
    limits = (bytes_max, bytes_max)
    return run(device, partial(resource.setrlimit, resource.RLIMIT_FSIZE, limits), *arguments)


@contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """Forbid writing in a profile, as on a disk that was mounted so."""
    files = list(directory.iterdir())
    for file in files:
        file.chmod(0o400)
    directory.chmod(0o500)
    yield
    directory.chmod(0o700)
    for file in files:
        file.chmod(0o600)


def be_nobody_special() -> None:
    """Give up, in a child of the superuser, the right to read and write whatever is there."""
    if os.geteuid() == 0:
        library = ctypes.CDLL(None)
        for right in (WRITE_EVERYWHERE, READ_EVERYWHERE):
            library.prctl(DROP_BOUNDING_CAPABILITY, right, 0, 0, 0)


@pytest.fixture
def alice(person: MakeDevice) -> Device:
    """Alice, who has written to Bob, and has a message of his in the log of her database."""
    alice, bob = person("alice"), person("bob")
    alice.send(bob.name, "hello")
    follower = alice.start("receive", "--follow")
    bob.send(alice.name, "in the log")
    follower.until_text("in the log")
    follower.end(signal.SIGKILL)
    return alice


def put_in_order(alice: Device) -> None:
    """Let a command end as it should: the log is emptied into the database."""
    assert alice.run("contacts").status == 0
    assert not (alice.directory / "device.db-wal").exists()


def check_reading(alice: Device, ended: Callable[..., Ended], code: str) -> None:
    """Check that all verbs that only read work, and that the rest names the cause."""
    texts = [line["text"] for line in ended("messages").lines]
    assert texts == ["hello", "in the log"]
    assert [line["verified"] for line in ended("contacts").lines] == [False]
    (listed,) = ended("devices").lines
    assert listed["this"]
    status = ended("status")
    assert (status.line["state"], status.line["connected"]) == ("active", False)
    assert status.notices == [code]
    for arguments in (("verify", "somebody"), ("send", alice.name, "-m", "x"), ("receive",)):
        refused = ended(*arguments)
        assert refused.status == 1, refused.output
        assert refused.error["error"] in (code, "io-error")
        assert refused.error["hint"]


@pytest.mark.parametrize("in_order", [True, False])
def test_reading_on_a_full_disk(alice: Device, *, in_order: bool) -> None:
    """What is on the disk is shown, and a log that a crash left is a part of it."""
    if in_order:
        put_in_order(alice)
    else:
        (alice.directory / "device.db-shm").unlink()
    check_reading(alice, partial(with_small_files, alice, 1_000), "disk-full")
    assert len(alice.run("messages").lines) == 2
    assert alice.run("send", alice.name, "-m", "there is room again").status == 0


@pytest.mark.parametrize("in_order", [True, False])
def test_reading_where_nobody_may_write(alice: Device, *, in_order: bool) -> None:
    """A profile on a disk that is read-only can be read, with and without a log."""
    if in_order:
        put_in_order(alice)
    else:
        (alice.directory / "device.db-shm").unlink()
    with read_only(alice.directory):
        before = sorted(alice.directory.iterdir())
        check_reading(alice, partial(run, alice, be_nobody_special), "io-error")
        assert sorted(alice.directory.iterdir()) == before
    assert alice.run("send", alice.name, "-m", "it may be written again").status == 0


def test_a_relay_whose_disk_is_full(own_relay: Relay, device: MakeDevice) -> None:
    """It is the relay's fault, and called so; what was written leaves once there is room."""
    own_relay.start()
    alice, bob = device("alice"), device("bob")
    for one in (alice, bob):
        assert one.run("register", one.name, "--server", own_relay.url).status == 0
    alice.send(bob.name, "one")
    own_relay.limit_files(0)
    kept = alice.run("send", bob.name, "-m", "two")
    assert (kept.status, kept.line["state"], kept.line["cause"]) == (0, "queued", "relay-failure")
    assert kept.notices == ["relay-failure"]
    assert "full disk" in kept.errors
    assert "full disk" in alice.text("send", bob.name, "-m", "three").output
    refused = device("carol").run("register", "carol", "--server", own_relay.url)
    assert (refused.status, refused.error["error"]) == (6, "relay-failure")
    assert refused.error["hint"]
    own_relay.limit_files(resource.RLIM_INFINITY)
    alice.send(bob.name, "four")
    assert sorted(bob.texts()) == ["four", "one", "three", "two"]


def test_a_verb_looks_at_one_state(person: MakeDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are looked up together with the messages, not by a transaction for each."""
    alice = person("alice")
    looks = []

    @contextmanager
    def counted(driver: Driver) -> Iterator[object]:
        looks.append(driver)
        with honest(driver) as database:
            yield database

    honest = Driver.reading
    monkeypatch.setattr(Driver, "reading", counted)
    counts = []
    for _ in range(2):
        alice.send(alice.name, "note")
        looks.clear()
        assert alice.run("messages").status == 0
        counts.append(len(looks))
    assert counts == [2, 2]  # one for messages and names, one for notices


def test_a_disk_without_room_for_a_profile(device: MakeDevice, relay: Relay) -> None:
    """No profile is left, and the same command works when there is room."""
    new = device("crowded")
    register = ("register", "crowded", "--server", relay.url)
    check_failure(with_small_files(new, 20_000, *register), "disk-full")
    assert not new.directory.exists()
    assert new.run(*register).status == 0


def test_a_disk_without_room_for_mail(person: MakeDevice) -> None:
    """What can't be stored is not acknowledged: the relay keeps it until it can."""
    alice, bob = person("alice"), person("bob")
    alice.send(bob.name, "x" * 40_000)
    room = 33_000  # for the shared index of the write-ahead log, not for the message
    check_failure(with_small_files(bob, room, "receive"), "io-error")
    assert bob.run("status").line["mailbox_entries"] == 1
    full = with_small_files(bob, room, "send", alice.name, "-m", "y" * 40_000)
    assert (full.status, full.error["error"]) == (1, "io-error")
    assert bob.texts() == ["x" * 40_000]
    assert [line["outgoing"] for line in bob.run("messages").lines] == [False]
