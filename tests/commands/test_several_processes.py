"""Two people, their laptops, and several processes on one profile, while others follow."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.commands.command_line import (
    COMMAND,
    PATIENCE_S,
    Device,
    Line,
    Running,
    child_environment,
)
from tests.commands.conftest import Link, MakeDevice
from tests.commands.relays import Relay


@pytest.fixture
def follow() -> Iterator[list[Running]]:
    """Followers that the test's end interrupts."""
    followers: list[Running] = []
    yield followers
    for one in followers:
        if one.process.poll() is None:
            one.end(signal.SIGINT)
        else:
            one.end()


def test_linking_with_real_processes(
    person: MakeDevice, device: MakeDevice, relay: Relay, tmp_path: Path
) -> None:
    """The new device shows text and picture; the phone takes the picture; both list it."""
    alice, laptop = person("alice"), device("laptop")
    picture = tmp_path / "code.png"
    linking = laptop.start(
        *("link", "--server", relay.url, "--account", alice.name),
        *("--device-name", "laptop", "--qr-png", picture),
    )
    offer = linking.until(lambda line: line.get("event") == "offer")
    assert set(offer) == {"event", "link_text", "expires_at"}
    assert picture.stat().st_mode & 0o777 == 0o600
    approved = alice.run("devices", "approve", "--qr-image", picture, "--yes").line
    linked = linking.end()
    assert linked.status == 0, linked.errors
    assert set(linked.lines[-1]) == {"event", "account_id", "name", "device"}
    assert linked.lines[-1]["event"] == "linked"
    assert (linked.lines[-1]["name"], linked.lines[-1]["device"]) == (alice.name, 1)
    assert (approved["event"], approved["device"], approved["name"]) == ("linked", 1, "laptop")
    listed = laptop.run("devices").lines
    assert [(line["name"], line["kind"], line["this"]) for line in listed][1] == (
        *("laptop", "desktop"),
        True,
    )
    again = alice.run("devices", "approve", offer["link_text"], "--yes")
    assert again.status != 0
    assert again.error["hint"]
    assert len(alice.run("devices").lines) == 2


def test_laptops_go_on_without_their_phones(
    person: MakeDevice, link: Link, follow: list[Running]
) -> None:
    """One phone is frozen, the other killed: laptops talk, and nothing is lost for a phone."""
    alice, bob = person("alice"), person("bob")
    alices, bobs = link(alice, "laptop"), link(bob, "laptop")
    phones = [one.start("receive", "--follow") for one in (alice, bob)]
    laptops = [one.start("receive", "--follow") for one in (alices, bobs)]
    follow += phones + laptops
    alice.send(bob.name, "from phone to all")
    for one in (phones[1], *laptops):
        one.until_text("from phone to all")
    phones[0].signal(signal.SIGSTOP)
    phones[1].end(signal.SIGKILL)
    alices.send(bob.name, "from laptop")
    assert laptops[1].until_text("from laptop")["from_device"] == 1
    bobs.send(alice.name, "to laptop")
    assert laptops[0].until_text("to laptop")["outgoing"] is False
    phones[0].signal(signal.SIGCONT)
    assert phones[0].until_text("from laptop")["outgoing"] is True
    phones[0].until_text("to laptop")
    texts = bob.texts()  # one killed while it printed prints again rather than never
    assert texts[-2:] == ["from laptop", "to laptop"]
    assert texts[:-2] in ([], ["from phone to all"])


def test_a_log_out_ends_a_follower_at_once(
    person: MakeDevice, link: Link, follow: list[Running]
) -> None:
    """The laptop's process ends with 6; with --wipe its messages are gone too."""
    alice, bob = person("alice"), person("bob")
    laptop, tablet = link(alice, "laptop"), link(alice, "tablet")
    followers = [one.start("receive", "--follow") for one in (laptop, tablet)]
    follow += followers
    bob.send(alice.name, "secret")
    for one in followers:
        one.until_text("secret")
    assert alice.run("devices", "logout", "1", "--wipe").status == 0
    assert tablet.run("devices", "logout", "2").status == 0
    for one in followers:
        ended = one.end()
        assert (ended.status, ended.error["error"]) == (6, "logged-out")
    assert laptop.run("messages").lines == []
    assert [line["text"] for line in tablet.run("messages").lines] == ["secret"]
    assert [line["device"] for line in alice.run("devices").lines] == [0]


def test_a_second_receiver_is_told_of_the_first(person: MakeDevice, follow: list[Running]) -> None:
    """`already-receiving` names the process; sending beside it works, and so do all others."""
    alice, bob = person("alice"), person("bob")
    follower = alice.start("receive", "--follow")
    follow.append(follower)
    bob.send(alice.name, "one")
    follower.until_text("one")
    for arguments in (("receive",), ("receive", "--follow")):
        second = alice.run(*arguments)
        assert (second.status, second.error["error"]) == (1, "already-receiving")
        assert second.error["pid"] == follower.process.pid
        assert str(follower.process.pid) in second.error["message"]
    senders = [alice.start("send", bob.name, "-m", f"message {number}") for number in range(3)]
    assert [one.end().line["state"] for one in senders] == ["sent"] * 3
    assert alice.run("status").status == 0
    assert sorted(bob.texts()) == ["message 0", "message 1", "message 2"]
    assert len(alice.run("messages").lines) == 4
    follower.end(signal.SIGKILL)
    bob.send(alice.name, "two")
    assert alice.texts() == ["two"]


def test_ten_send_at_once_while_one_follows(
    person: MakeDevice, link: Link, follow: list[Running]
) -> None:
    """Every message arrives once on each device of both people, and is once in each history.

    They are more than a relay lets connect at once: whose connection makes room says that its
    message is queued, and it leaves with the next one.
    """
    alice, bob = person("alice"), person("bob")
    laptop = link(alice, "laptop")
    followers = [one.start("receive", "--follow") for one in (alice, laptop, bob)]
    follow += followers
    alice.send(bob.name, "ready?")  # whoever is not known yet can't be written to unconnected
    bob.send(alice.name, "go")
    for one in followers[:2]:
        one.until_text("go")
    senders = [alice.start("send", bob.name, "-m", f"message {number}") for number in range(10)]
    answers = {bob.send(alice.name, f"answer {number}")["message_id"] for number in range(3)}
    ended = [one.end() for one in senders]
    assert [one.status for one in ended] == [0] * 10
    written = {one.line["message_id"] for one in ended}
    written.add(alice.send(bob.name, "and one more")["message_id"])
    assert len(written) == 11
    for one, awaited in zip(followers, (answers, answers | written, written), strict=True):
        for message_id in awaited:
            one.until(_has_id(message_id))
        ids = [line["message_id"] for line in one.end(signal.SIGINT).lines]
        assert sorted(one for one in ids if one in answers | written) == sorted(awaited)
    for device in (alice, laptop, bob):
        assert device.receive() == []
        history = [line["message_id"] for line in device.run("messages").lines]
        assert len(history) == len(set(history)) == 16
        assert answers | written < set(history)
    states = {line["state"] for line in alice.run("messages").lines if line["outgoing"]}
    assert states <= {"sent", "delivered"}


def test_receive_ends_when_it_should(person: MakeDevice) -> None:
    """Without flags it drains; --max and --timeout end it with 0; nothing is printed twice."""
    alice, bob = person("alice"), person("bob")
    for number in range(5):
        alice.send(bob.name, f"{number}")
    assert [line["text"] for line in bob.run("receive", "--max", "2").lines] == ["0", "1"]
    followed = bob.run("receive", "--follow", "--max", "1")
    assert (followed.status, followed.line["text"]) == (0, "2")
    timed = bob.run("receive", "--timeout", "0.3")
    assert (timed.status, [line["text"] for line in timed.lines]) == (0, ["3", "4"])
    assert bob.receive() == []
    quiet = bob.run("receive", "--timeout", "0.1", "--max", "1")
    assert (quiet.status, quiet.output) == (0, "")


def test_what_could_not_be_printed_is_printed_next_time(person: MakeDevice) -> None:
    """A full disk behind stdout loses nothing: the message was fetched, but not shown."""
    alice, bob = person("alice"), person("bob")
    alice.send(bob.name, "not lost")
    alice.send(bob.name, "nor this")
    with Path("/dev/full").open("wb") as full:
        failed = subprocess.run(
            [*COMMAND, *map(str, bob.options), "-o", "json", "receive"],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            env=child_environment(),
            timeout=PATIENCE_S,
        )
    assert failed.returncode == 1
    assert b'"disk-full"' in failed.stderr
    assert b"Traceback" not in failed.stderr
    assert bob.run("status").line["mailbox_entries"] == 0
    assert bob.texts() == ["not lost", "nor this"]
    assert bob.texts() == []


def test_a_follower_outlives_its_relay(
    own_relay: Relay, device: MakeDevice, follow: list[Running]
) -> None:
    """The relay is killed and comes back: the follower says so once a try, and goes on."""
    own_relay.start()
    alice, bob = device("alice"), device("bob")
    for one in (alice, bob):
        one.run("register", one.name, "--server", own_relay.url)
    follower = bob.start("receive", "--follow")
    follow.append(follower)
    alice.send("bob", "before")
    follower.until_text("before")
    own_relay.stop(signal.SIGKILL)
    assert follower.until_told("closed")["hint"]
    queued = alice.run("send", "bob", "-m", "meanwhile")
    assert (queued.status, queued.line["state"]) == (0, "queued")
    own_relay.start()
    alice.send("bob", "after")
    follower.until_text("after")
    assert [line["text"] for line in follower.lines] == ["before", "meanwhile", "after"]


def test_a_text_comes_from_stdin(person: MakeDevice) -> None:
    """One line end is taken off; bytes that are no text are refused."""
    alice, bob = person("alice"), person("bob")
    bobs_text = "first line\nsecond line"
    sent = _send_from_stdin(alice, bob.name, f"{bobs_text}\n".encode())
    assert sent.returncode == 0, sent.stderr
    for wrong in (b"\xff\xfe", "ü".encode() * 50_000):
        refused = _send_from_stdin(alice, bob.name, wrong)
        assert refused.returncode == 1
        assert b"Traceback" not in refused.stderr
    assert bob.texts() == [bobs_text]


def _has_id(message_id: str) -> Callable[[Line], bool]:
    return lambda line: line.get("message_id") == message_id


def _send_from_stdin(who: Device, name: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [*COMMAND, *map(str, who.options), "send", name, "--message-from-stdin"]
    return subprocess.run(
        command,
        check=False,
        input=data,
        capture_output=True,
        env=child_environment(),
        timeout=PATIENCE_S,
    )
