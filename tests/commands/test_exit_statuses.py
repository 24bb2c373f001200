"""Each exit status of the contract, provoked for real, with its error for programs."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.commands.command_line import Device, Ended, Running, command_in, in_process
from tests.commands.conftest import Link, MakeDevice
from tests.commands.relays import Relay

UNUSED_PORT_URL = "http://localhost:9"


def failure(ended: Ended, status: int, code: str) -> Ended:
    """Check how a command failed: status, code, a next step, and nothing on stdout."""
    assert (ended.status, ended.error["error"]) == (status, code), ended.errors
    assert ended.error["hint"]
    return ended


def test_0_and_1(person: MakeDevice) -> None:
    """What worked is 0; what the person must change is 1."""
    alice = person("alice")
    assert alice.run("contacts").status == 0
    failure(alice.run("send", "nobody-at-all", "-m", "x"), 1, "unknown-name")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("bogus",),
        ("send",),
        ("send", "bob"),
        ("send", "bob", "-m", "x", "--message-from-stdin"),
        ("send", "bob", "-m", "\udcff"),
        ("receive", "--timeout", "soon"),
        ("receive", "--timeout", "-1"),
        ("receive", "--timeout", "nan"),
        ("receive", "--max", "0"),
        ("receive", "--max", "٣"),
        ("receive", "--fol"),
        ("messages", "--limit", "x"),
        ("register", "alice"),
        ("register", "--server", UNUSED_PORT_URL),
        ("link",),
        ("devices", "approve"),
        ("devices", "approve", "untether://link/x", "--qr-image", "x.png"),
        ("devices", "logout", "one"),
        ("devices", "logout", "-1"),
        ("devices", "explode"),
        ("recover", "alice", "--server", UNUSED_PORT_URL, "--keep-all", "--keep-none"),
        ("contacts", "accept"),
        ("verify",),
        ("status", "surplus"),
        ("serve", "--port", "http"),
        ("serve", "--port", "65536"),
        ("send", "bob", "-m", "one", "-m", "two"),
    ],
    ids=" ".join,
)
def test_2_for_a_wrong_command_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Usage is told in the wanted form, names the verb's options, and touches nothing."""
    directory = tmp_path / "profile"
    ended = in_process("-o", "json", "--profile", directory, *arguments)
    failure(ended, 2, "usage")
    assert ended.error["hint"].startswith("Usage: untether")
    assert "--help` explains it." in ended.error["hint"]
    assert ended.output == ""
    shown = in_process("--profile", directory, *arguments)
    assert shown.status == 2
    assert shown.errors.startswith("untether: ")
    assert not directory.exists()


def test_3_when_the_relay_can_not_be_reached(own_relay: Relay, device: MakeDevice) -> None:
    """Asking fails with 3; what can be queued is queued and is no failure."""
    own_relay.start()
    alice, bob = device("alice"), device("bob")
    for one in (alice, bob):
        one.run("register", one.name, "--server", own_relay.url)
    alice.send("bob", "one")
    own_relay.stop()
    failure(alice.run("receive"), 3, "unreachable")
    failure(alice.run("send", "carol", "-m", "new to me"), 3, "unreachable")
    failure(alice.run("devices", "logout", "1"), 3, "unreachable")
    queued = alice.run("send", "bob", "-m", "two")
    assert (queued.status, queued.line["state"], queued.notices) == (0, "queued", ["unreachable"])
    assert [line["text"] for line in alice.run("messages").lines] == ["one", "two"]
    status = alice.run("status")
    assert (status.status, status.line["connected"]) == (0, False)
    own_relay.start()
    assert alice.run("status").line["connected"] is True
    assert bob.texts() == ["one", "two"]


def test_4_when_a_verified_name_is_another_account(own_relay: Relay, device: MakeDevice) -> None:
    """A relay that re-points a verified name stops sending until a person decides."""
    own_relay.start()
    alice, bob, mallory = (device(name) for name in ("alice", "bob", "mallory"))
    for one in (alice, bob, mallory):
        one.run("register", one.name, "--server", own_relay.url)
    alice.send("bob", "hi")
    alice.run("verify", "bob")
    own_relay.give_name("bob", "robert")
    own_relay.give_name("mallory", "bob")
    refused = failure(alice.run("send", "bob", "-m", "secret"), 4, "identity-changed")
    assert "identity-changed" in refused.notices
    failure(alice.run("verify", "bob"), 4, "identity-changed")
    assert alice.run("contacts").line["changed"] is True
    assert "CHANGED" in alice.text("contacts").output
    assert mallory.texts() == []
    assert [line["text"] for line in alice.run("messages").lines] == ["hi"]
    assert alice.run("contacts", "accept", "bob").line == {"name": "bob", "accepted": True}
    assert alice.run("contacts").line["verified"] is False
    alice.send("bob", "to the new bob")
    assert mallory.texts() == ["to the new bob"]
    assert bob.texts() == ["hi"]


def test_4_when_the_relay_is_another_one(
    own_relay: Relay, device: MakeDevice, tmp_path: Path
) -> None:
    """A relay that lost its database at the same address is not trusted with the account."""
    own_relay.start()
    alice = device("alice")
    alice.run("register", "alice", "--server", own_relay.url)
    own_relay.stop()
    other = Relay(tmp_path / "other")
    other.url = own_relay.url
    try:
        other.start()
        for arguments in (("receive",), ("receive", "--follow"), ("send", "bob", "-m", "x")):
            failure(alice.run(*arguments), 4, "relay-changed")
    finally:
        other.stop_if_running()


def test_5_when_it_goes_too_fast(device: MakeDevice, tmp_path: Path) -> None:
    """A rate limit says how long to wait, and the same command finishes afterwards."""
    limited = Relay(
        tmp_path / "relay", quotas="guest_requests_burst = 1\nguest_requests_per_minute = 1\n"
    )
    try:
        limited.start()
        alice, bob = device("alice"), device("bob")
        assert alice.run("register", "alice", "--server", limited.url).status == 0
        refused = failure(
            bob.run("register", "bob", "--server", limited.url), 5, "rate-limited"
        ).error
        assert isinstance(refused["retry_after_s"], int)
        assert 1 <= refused["retry_after_s"] <= 60
        assert str(refused["retry_after_s"]) in refused["hint"]
        unfinished = failure(bob.run("send", "alice", "-m", "x"), 1, "not-finished")
        finish = command_in(unfinished.error["hint"])
        assert finish[-4:] == ["register", "bob", "--server", limited.url]
        other = bob.run("register", "robert", "--server", limited.url)
        failure(other, 1, "other-registration")
    finally:
        limited.stop_if_running()
    patient = Relay(tmp_path / "relay")
    patient.url = limited.url
    try:
        patient.start()
        finished = bob.run("register", "bob", "--server", patient.url)
        assert finished.line["recovery_code"]
        bob.send("alice", "finally")
        assert alice.texts() == ["finally"]
    finally:
        patient.stop_if_running()


def test_6_when_the_name_is_taken(person: MakeDevice, device: MakeDevice, relay: Relay) -> None:
    """A refused registration leaves no profile, and another name works at once."""
    alice, other = person("alice"), device("other")
    failure(other.run("register", alice.name, "--server", relay.url), 6, "name-taken")
    assert not other.directory.exists()
    assert other.run("register", "other-alice", "--server", relay.url).status == 0


def test_6_when_registration_is_closed(device: MakeDevice, tmp_path: Path) -> None:
    """A closed relay takes nobody."""
    closed = Relay(tmp_path / "relay", settings='registration = "closed"')
    try:
        alice = device("alice")
        ended = alice.run("register", "alice", "--server", closed.start().url)
        failure(ended, 6, "registration-closed")
        assert not alice.directory.exists()
    finally:
        closed.stop_if_running()


def test_6_without_a_good_invitation(device: MakeDevice, tmp_path: Path) -> None:
    """Missing, wrong and used invitations are refused; a fresh one works once."""
    private = Relay(tmp_path / "relay", settings='registration = "invitation"')
    try:
        url = private.start().url
        alice, bob = device("alice"), device("bob")
        invitation = in_process("invite", "--data", private.data).output.strip()
        register = ("register", "alice", "--server", url)
        failure(alice.run(*register), 6, "invitation-needed")
        failure(alice.run(*register, "--invitation", "made-up"), 6, "invitation-needed")
        assert alice.run(*register, "--invitation", invitation).status == 0
        again = bob.run("register", "bob", "--server", url, "--invitation", invitation)
        failure(again, 6, "invitation-needed")
        assert not bob.directory.exists()
    finally:
        private.stop_if_running()


def test_6_for_a_logged_out_device(person: MakeDevice, link: Link) -> None:
    """A logged-out device can't send or receive, keeps what it has, and says how it stands."""
    alice, bob = person("alice"), person("bob")
    laptop = link(alice, "laptop")
    bob.send(alice.name, "to both")
    assert laptop.texts() == ["to both"]
    assert alice.run("devices", "logout", "1").line == {
        "event": "logged-out",
        "device": 1,
        "wipe": False,
    }
    for arguments in (("receive",), ("receive", "--follow"), ("send", bob.name, "-m", "x")):
        failure(laptop.run(*arguments), 6, "logged-out")
    assert [line["text"] for line in laptop.run("messages").lines] == ["to both"]
    assert laptop.run("status").line["state"] == "logged-out"
    assert laptop.run("devices").status == 0
    bob.send(alice.name, "to the phone")
    assert [line["text"] for line in alice.run("messages").lines] == ["to both"]
    assert alice.texts() == ["to both", "to the phone"]


def test_6_for_a_displaced_phone(
    person: MakeDevice, device: MakeDevice, relay: Relay, tmp_path: Path
) -> None:
    """The old phone is told that another acts for the account, and how to take it back."""
    alice = device("alice-displaced")
    code_file = tmp_path / "code"
    registered = alice.run("register", alice.name, "--server", relay.url).line
    code_file.write_text(registered["recovery_code"])
    new = device("new-phone")
    recover = ("recover", alice.name, "--server", relay.url, "--keep-all")
    recovered = new.run(*recover, "--recovery-file", code_file)
    assert recovered.line == {
        "account_id": registered["account_id"],
        "name": alice.name,
        "device": 1024,
    }
    for arguments in (("receive",), ("receive",), ("receive", "--follow")):
        ended = failure(alice.run(*arguments), 6, "phone-displaced")
        assert command_in(ended.error["hint"])[4:6] == ["recover", alice.name]
    bob = person("bob")
    failure(alice.run("send", bob.name, "-m", "hello"), 6, "phone-displaced")
    bob.send(alice.name, "who has it?")
    assert new.texts() == ["who has it?"]
    assert alice.run(*recover).status == 0
    bob.send(alice.name, "and now?")
    assert alice.texts() == ["and now?"]
    failure(new.run("receive"), 6, "phone-displaced")


def _with_passphrase(device: Device, file: Path | None, *arguments: str) -> Ended:
    options = () if file is None else ("--passphrase-file", file)
    return Running("--profile", device.directory, *options, "-o", "json", *arguments).end()


def test_7_when_the_person_is_not_verified(person: MakeDevice, tmp_path: Path) -> None:
    """No passphrase, a wrong one, an unreadable file: nothing is opened."""
    alice = person("alice")
    wrong, empty = tmp_path / "wrong", tmp_path / "empty"
    for file, text in ((wrong, "another passphrase\n"), (empty, "")):
        file.touch(mode=0o600)
        file.write_text(text)
    failure(_with_passphrase(alice, None, "contacts"), 7, "passphrase-needed")
    failure(_with_passphrase(alice, wrong, "contacts"), 7, "passphrase-wrong")
    failure(_with_passphrase(alice, empty, "contacts"), 7, "passphrase-file-unreadable")
    failure(_with_passphrase(alice, tmp_path / "none", "status"), 7, "passphrase-file-unreadable")
    assert alice.run("contacts").status == 0


def test_7_leaves_no_profile(device: MakeDevice, relay: Relay) -> None:
    """Without a passphrase no profile is made that would lie open on the disk."""
    alice = device("alice")
    ended = _with_passphrase(alice, None, "register", "alice-unverified", "--server", relay.url)
    failure(ended, 7, "passphrase-needed")
    assert not alice.directory.exists()
    assert alice.run("register", "alice-unverified", "--server", relay.url).status == 0
