"""The stable contract of the command line: shapes, streams and places of options."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.commands.command_line import (
    COMMAND,
    Device,
    Running,
    child_environment,
    command_in,
    in_process,
)
from tests.commands.conftest import Link, MakeDevice
from tests.commands.relays import Relay

import untether.__main__
from untether import __version__
from untether.__main__ import INTERRUPTED
from untether.base.identifiers import HOUR_MS
from untether.cli.main import VERBS

MESSAGE = {
    *("message_id", "from", "from_device", "conversation", "sent_at", "text", "outgoing"),
    *("conversation_id", "state", "known", "recovered"),
}
SENT = {"to", "message_id", "state", "devices"}
DEVICE = {
    *("device", "name", "kind", "platform", "added_at", "last_active_at", "this"),
    *("role", "code", "resigned"),
}
STATUS = {
    *("name", "account_id", "device", "role", "state", "relay", "connected"),
    *("mailbox_entries", "prekeys", "lease_ends_at", "list_version", "unreadable"),
    *("repairing", "recovery_code_unseen"),
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_every_verb_has_the_promised_shape(
    person: MakeDevice, device: MakeDevice, relay: Relay
) -> None:
    """Scripts find exactly these keys, one object per line, and nothing else on stdout."""
    alice, bob = device("alice-shapes"), person("bob")
    registered = alice.run("register", "alice-shapes", "--server", relay.url).line
    assert set(registered) == {"account_id", "name", "device", "recovery_code"}
    assert (registered["name"], registered["device"]) == ("alice-shapes", 0)
    sent = alice.run("send", bob.name, "alice-shapes", "-m", "hello")
    assert [line["to"] for line in sent.lines] == [bob.name, "alice-shapes"]
    assert all(set(line) == SENT for line in sent.lines)
    assert (sent.lines[0]["state"], sent.lines[0]["devices"]) == ("sent", 1)
    (received,) = bob.receive()
    assert set(received) == MESSAGE
    assert (received["from"], received["text"]) == ("alice-shapes", "hello")
    assert received["message_id"] == sent.lines[0]["message_id"]
    assert (received["conversation_id"], received["state"]) == (
        registered["account_id"],
        "received",
    )
    assert TIME.fullmatch(received["sent_at"])
    shown = alice.run("messages", "--limit", "5").lines
    assert [set(line) for line in shown] == [MESSAGE, MESSAGE]
    assert all(line["outgoing"] for line in shown)
    (contact,) = alice.run("contacts").lines
    with_bob = alice.run("messages", "--with", bob.name).line
    assert with_bob["conversation_id"] == contact["account_id"]
    assert with_bob["state"] in ("sent", "delivered")
    assert set(contact) == {"name", "account_id", "verified", "changed", "added_at"}
    code = alice.run("security-code", bob.name).line
    assert set(code) == {"name", "code", "verified", "qr_text"}
    assert re.fullmatch(r"\d{60}", code["code"])
    assert bob.run("security-code", "alice-shapes").line["code"] == code["code"]
    assert alice.run("verify", bob.name).line == {"name": bob.name, "verified": True}
    assert alice.run("security-code", bob.name).line["verified"] is True
    assert set(alice.run("status").line) == STATUS
    (listed,) = alice.run("devices").lines
    assert set(listed) == DEVICE
    assert (listed["kind"], listed["this"]) == ("phone", True)


def test_text_is_for_people(person: MakeDevice) -> None:
    """The same verbs print lines without braces, and say what to do with a code."""
    alice, bob = person("alice"), person("bob")
    sent = alice.text("send", bob.name, "-m", "hello\nBob")
    assert sent.output.startswith(f"{bob.name}: sent to 1 device ")
    received = bob.text("receive").output
    assert f"{alice.name} (not a contact): hello\n{' ' * 18}Bob\n" in received
    assert "hello" in bob.text("messages", "--with", alice.name).output
    assert alice.name in alice.text("status").output
    assert "this device" in alice.text("devices").output
    code = alice.text("security-code", bob.name).output
    assert re.search(r"^(\d{5} ){11}\d{5}$", code, re.MULTILINE)
    assert command_in(code)[-2:] == ["verify", bob.name]
    assert "is verified" in alice.text("verify", bob.name).output
    assert re.search(rf"{bob.name}\s+[0-9a-f…]+\s+verified", alice.text("contacts").output)
    assert alice.text("messages", "--with", bob.name).output.endswith("[delivered]\n") or (
        "[sent]" in alice.text("messages", "--with", bob.name).output
    )
    failed = alice.text("verify", "nobody")
    assert failed.status == 1
    assert failed.errors.startswith("untether: There is no contact “nobody”. [unknown-contact]\n")


def test_a_stranger_is_named_but_marked(person: MakeDevice) -> None:
    """`from` has the relay's name for a stranger, and `known` tells scripts that it is one."""
    alice, bob = person("alice"), person("bob")
    alice.send(bob.name, "do you know me?")
    (first,) = bob.receive()
    assert (first["from"], first["conversation"], first["known"]) == (alice.name, alice.name, False)
    bob.send(alice.name, "now I do")
    alice.send(bob.name, "good")
    (second,) = [line for line in bob.receive() if not line["outgoing"]]
    assert (second["from"], second["known"]) == (alice.name, True)


def test_a_stranger_never_wears_a_contact_s_name(own_relay: Relay, device: MakeDevice) -> None:
    """A relay that gives bob's name to mallory does not make her mail look like bob's."""
    own_relay.start()
    alice, bob, mallory = (device(name) for name in ("alice", "bob", "mallory"))
    for one in (alice, bob, mallory):
        one.run("register", one.name, "--server", own_relay.url)
    alice.send("bob", "hi")
    own_relay.give_name("bob", "robert")
    own_relay.give_name("mallory", "bob")
    mallory.send("alice", "it's me, bob")
    (received,) = [line for line in alice.receive() if not line["outgoing"]]
    assert received["from"] == received["conversation"] != "bob"
    assert received["known"] is False
    assert mallory.run("status").line["account_id"].startswith(received["from"].rstrip("…"))


def test_a_message_can_not_steer_a_terminal(person: MakeDevice) -> None:
    """Escape codes and turned text are replaced for people and escaped for programs."""
    alice, bob = person("alice"), person("bob")
    text = "red\x1b[31m \u202eturned \u2028line \N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}"
    alice.send(bob.name, text)
    alice.send(bob.name, text)
    shown = bob.text("receive", "--max", "1").output
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}" in shown
    received = bob.run("receive")
    assert received.output.isascii()
    assert received.line["text"] == text


def test_options_stand_before_or_after_the_verb(person: MakeDevice) -> None:
    """Both ways mean the same, and the later one wins."""
    alice = person("alice")
    before = in_process(*alice.options, "-o", "json", "status")
    after = in_process("status", "-o", "json", *alice.options)
    both = in_process(*alice.options, "-o", "text", "status", "-o", "json")
    assert before.line == after.line == both.line


def test_a_hint_can_be_pasted(person: MakeDevice) -> None:
    """The command that a hint names acts as the same device, wherever its profile lies."""
    alice, bob = person("alice"), person("bob")
    hint = command_in(alice.text("security-code", bob.name).output)
    assert (
        in_process(*hint).output
        == f"“{bob.name}” is verified on this device; your others have marks of their own.\n"
    )
    assert alice.run("contacts").line["verified"] is True
    spaced = Device(alice.directory.with_name("a place with spaces"), alice.passphrase_file)
    alice.directory.rename(spaced.directory)
    refused = spaced.run("verify", "nobody").error["hint"]
    assert command_in(refused)[:4] == [str(one) for one in spaced.options]
    other_profile = spaced.run("register", "other", "--server", "http://localhost:9").error["hint"]
    assert command_in(other_profile)[:2] == ["--profile", "DIR"]


def test_a_word_in_the_place_of_an_action() -> None:
    """Who expects to see one contact hears which verbs are about one person."""
    told = in_process("contacts", "bob").errors
    assert "`untether messages --with bob`" in told
    assert "`untether security-code bob`" in told
    assert "approve, logout, lease" in in_process("devices", "3").errors


def test_logs_and_hints_never_reach_stdout(person: MakeDevice, tmp_path: Path) -> None:
    """A passphrase file that others can read is warned of on stderr only."""
    alice = person("alice")
    open_file = tmp_path / "passphrase"
    open_file.write_text(alice.passphrase_file.read_text())
    open_file.chmod(0o644)
    ended = Running(
        *("--profile", alice.directory, "--passphrase-file", open_file, "-o", "json", "contacts")
    ).end()
    assert (ended.status, ended.output) == (0, "")
    assert ended.notices == ["passphrase-file-open"]
    assert "chmod 600" in ended.errors
    assert all(line.startswith("{") for line in ended.errors.splitlines())
    shown = in_process("--profile", alice.directory, "--passphrase-file", open_file, "contacts")
    assert shown.errors.startswith("untether: Other users can read")
    assert "[passphrase-file-open]" in shown.errors


def test_the_environment_names_profile_and_passphrase(person: MakeDevice) -> None:
    """UNTETHER_PROFILE and UNTETHER_PASSPHRASE_FILE do what the options do."""
    alice = person("alice")
    environment = child_environment(
        UNTETHER_PROFILE=str(alice.directory),
        UNTETHER_PASSPHRASE_FILE=str(alice.passphrase_file),
    )
    ended = Running("-o", "json", "status", environment=environment).end()
    assert ended.line["name"] == alice.name


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_any_locale_will_do(person: MakeDevice, locale: str) -> None:
    """Text in an ASCII terminal loses characters, never the message or the command."""
    alice = person("alice")
    environment = child_environment(LC_ALL=locale, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    sent = Running(*alice.options, "send", alice.name, "-m", "für dich", environment=environment)
    assert sent.end().status == 0
    shown = Running(*alice.options, "messages", environment=environment).end()
    assert shown.status == 0
    assert "r dich" in shown.output


def test_a_reader_that_leaves_is_no_failure(person: MakeDevice) -> None:
    """`untether messages | head -1` ends quietly with 0."""
    alice = person("alice")
    alice.send(alice.name, "note")
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [*COMMAND, *map(str, alice.options), "messages"],
        check=False,
        stdout=writing,
        stderr=subprocess.PIPE,
        env=child_environment(),
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_help_and_version_name_every_verb() -> None:
    """What is not built is absent; what is there has one line of help."""
    assert in_process("--version").output == f"untether {__version__}\n"
    shown = in_process("--help")
    assert shown.status == 0
    assert all(verb in shown.output for verb in VERBS)
    for verb in VERBS:
        assert in_process(verb, "--help").status == 0


def test_ctrl_c_ends_a_follower(person: MakeDevice) -> None:
    """An interrupted command has the status that shells expect, and prints no traceback."""
    alice = person("alice")
    follower = alice.start("receive", "--follow")
    alice.send(alice.name, "a note that comes back to nobody")
    bob = person("bob")
    bob.send(alice.name, "are you there?")
    follower.until_text("are you there?")
    ended = follower.end(signal.SIGINT)
    assert ended.status == 130
    assert "Traceback" not in ended.errors


def test_a_relay_tells_its_address(tmp_path: Path) -> None:
    """The first line is the address, or for programs an object with it."""
    serve = ("serve", "--port", "0", "--data")
    plain = Running(*serve, tmp_path / "plain")
    assert re.fullmatch(r"http://localhost:\d+", plain.until_first_line())
    programs = Running("-o", "json", *serve, tmp_path / "programs")
    address = programs.until(lambda line: line["event"] == "serving")["address"]
    assert re.fullmatch(r"http://localhost:\d+", address)
    for relay in (plain, programs):
        assert relay.end(signal.SIGTERM).status == 0


def test_an_invitation_is_one_object(own_relay: Relay) -> None:
    """`invite` says the code and until when it is good, in the same form as other times."""
    own_relay.start()
    made = in_process("invite", "--data", own_relay.data, "-o", "json").line
    assert set(made) == {"invitation", "expires_at"}
    assert TIME.fullmatch(made["expires_at"])
    assert in_process("invite", "--data", own_relay.data).output.strip()


def test_an_activity_that_nobody_knows(person: MakeDevice, link: Link, relay: Relay) -> None:
    """`devices` says None, or unknown; not never, and not a day in 1970."""
    alice = person("alice")
    laptop = link(alice, "laptop")
    account = bytes.fromhex(alice.run("status").line["account_id"])
    relay.query(
        "UPDATE devices SET last_active_at = 0 WHERE account_id = ? AND device = 1", account
    )
    shown = alice.run("devices").lines
    assert [line["last_active_at"] is None for line in shown] == [False, True]
    phone, companion = alice.text("devices").output.splitlines()
    assert "active within the last hour" in phone
    assert "last active: unknown" in companion
    assert json.dumps(laptop.run("status").line["role"]) == '"companion"'


def test_activity_is_told_as_exactly_as_it_is_known(
    person: MakeDevice, link: Link, relay: Relay
) -> None:
    """The relay keeps the hour only; the minute at its beginning would be made up."""
    alice = person("alice")
    link(alice, "laptop")
    account = bytes.fromhex(alice.run("status").line["account_id"])
    hour = 1_750_000_000_000 // HOUR_MS * HOUR_MS
    relay.query(
        "UPDATE devices SET last_active_at = ? WHERE account_id = ? AND device = 1", hour, account
    )
    shown = alice.run("devices").lines[1]["last_active_at"]
    assert shown == "2025-06-15T15:00:00.000Z"
    companion = alice.text("devices").output.splitlines()[1]
    assert re.search(r"active 2025-06-1\d \d\d:\d\d–\d\d:\d\d ", companion)


def test_each_device_says_what_it_runs_on(
    person: MakeDevice, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The phone learns it from the offer, other companions from the phone; nobody makes it up."""
    alice = person("alice")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("platform.system", lambda: "Darwin")
        laptop = link(alice, "laptop")
    with monkeypatch.context() as nowhere:
        nowhere.setattr("platform.system", lambda: "")
        tablet = link(alice, "tablet")
    laptop.receive()
    own = platform.system()
    for one in (alice, laptop, tablet):
        assert [line["platform"] for line in one.run("devices").lines] == [own, "macOS", None]
    shown = laptop.text("devices").output.splitlines()
    assert f"phone, {own} " in shown[0]
    assert "desktop, macOS " in shown[1]


def test_both_ends_agree_about_devices(person: MakeDevice, link: Link, device: MakeDevice) -> None:
    """Phone and companion list the same devices with the same codes."""
    alice = person("alice")
    laptop = link(alice, "laptop")
    own: Device = alice
    seen = {line["device"]: line["code"] for line in own.run("devices").lines}
    assert seen == {line["device"]: line["code"] for line in laptop.run("devices").lines}
    assert [line["this"] for line in laptop.run("devices").lines] == [False, True]


def test_both_screens_show_the_code_to_compare(
    person: MakeDevice, device: MakeDevice, relay: Relay
) -> None:
    """The phone shows the code of the new device when that shows it, not once it is linked."""
    alice, laptop = person("alice"), device("laptop")
    linking = laptop.start("link", "--server", relay.url, "--account", alice.name)
    offer = linking.until(lambda line: "link_text" in line)
    approving = alice.start("devices", "approve", offer["link_text"], "--yes")
    shown = [one.until_told("compare-codes")["code"] for one in (linking, approving)]
    linked = approving.end().line
    assert shown == [linked["code"]] * 2
    assert linking.end().status == 0


def test_an_empty_profile_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell variable that is not set must not turn the current folder into a profile."""
    monkeypatch.chdir(tmp_path)
    ended = in_process("--profile", "", "status")
    assert ended.status == 2
    assert "empty name" in ended.errors
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_is_quiet_however_early_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the command line is parsed, and while its modules are loaded."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("untether.cli.main._parser", interrupt)
        assert untether.__main__.main() == INTERRUPTED
    monkeypatch.delitem(sys.modules, "untether.cli.main")
    monkeypatch.setattr("builtins.__import__", interrupt)
    status = untether.__main__.main()
    monkeypatch.undo()
    assert status == INTERRUPTED
