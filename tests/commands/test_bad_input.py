"""Whatever is wrong is named, with a next step, and leaves nothing half done or lost."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.commands.command_line import (
    Device,
    Ended,
    Running,
    child_environment,
    in_process,
)
from tests.commands.conftest import Link, MakeDevice
from tests.commands.relays import Relay

from untether.adapters.qr import save_png
from untether.adapters.transport.address import relay_address
from untether.base.errors import ExitStatus
from untether.base.identifiers import DAY_MS, UnixMillis
from untether.base.limits import COMPANIONS_MAX, INVITATION_CODE_MAX, TEXT_MAX
from untether.client.clock import wall_clock
from untether.client.driver import Driver

ELSEWHERE = "http://localhost:9"


def check_failure(ended: Ended, status: int, code: str) -> None:
    """Check status and code, and that the next step is named."""
    assert (ended.status, ended.error["error"]) == (status, code), ended.errors
    assert ended.error["hint"]
    assert ended.output == ""


@pytest.fixture(scope="module")
def alice(person: MakeDevice) -> Device:
    """Alice, whom the tests of this table share."""
    return person("alice")


@pytest.mark.parametrize("name", ["a", "Alice", "-x", "ali\nce", "a" * 33, "ålice", ""])
def test_a_name_that_can_be_none(alice: Device, device: MakeDevice, name: str) -> None:
    """Impossible names are refused before anybody is asked, wherever they stand."""
    new = device("new")
    for ended in (
        new.run("register", "--server", ELSEWHERE, "--", name),
        new.run("recover", "--server", ELSEWHERE, "--", name),
        alice.run("send", "-m", "x", "--", name),
        alice.run("messages", f"--with={name}"),
        alice.run("verify", "--", name),
        alice.run("security-code", "--", name),
        alice.run("contacts", "accept", "--", name),
    ):
        check_failure(ended, 1, "bad-name")
    assert not new.directory.exists()


def test_a_command_without_a_verb() -> None:
    """The first thing that many people type is answered with the usage."""
    ended = in_process()
    assert ended.status == ExitStatus.USAGE
    assert "[usage]" in ended.errors
    assert "Traceback" not in ended.errors
    check_failure(in_process("-o", "json"), ExitStatus.USAGE, "usage")


@pytest.mark.parametrize("name", ["", "two\nlines", "x" * 65, "\x1b[2J", "\u202eturned"])
def test_a_device_name_that_can_be_none(device: MakeDevice, relay: Relay, name: str) -> None:
    """A device's name is one plain line on every screen of its account."""
    new = device("new")
    for verb in (("register", "somebody"), ("link",), ("recover", "somebody")):
        ended = new.run(*verb, "--server", relay.url, f"--device-name={name}")
        check_failure(ended, 1, "bad-device-name")
    assert not new.directory.exists()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "bad-address"),
        ("ftp://relay.example", "bad-address"),
        ("http://", "bad-address"),
        ("http://localhost:port", "bad-address"),
        ("http://localhost:8080/path", "bad-address"),
        ("http://user:secret@localhost", "bad-address"),
        ("http://relay.example", "plain-http"),
        ("http://relay.invalid:8080", "plain-http"),
        ("http://localhost.example", "plain-http"),
    ],
)
def test_an_address_that_is_no_relay_s(device: MakeDevice, url: str, code: str) -> None:
    """A bad address is refused before anybody chooses a passphrase."""
    new = device("new")
    for verb in (("register", "somebody"), ("link",), ("recover", "somebody")):
        check_failure(new.run(*verb, f"--server={url}"), 1, code)
    assert not new.directory.exists()


@pytest.mark.parametrize(
    ("url", "encrypted"),
    [
        ("http://[FE80::1]:8080", "https://[fe80::1]:8080"),
        ("http://[fe80::1]", "https://[fe80::1]"),
        ("http://relay.example:80", "https://relay.example"),
        ("http://relay.example:8080", "https://relay.example:8080"),
    ],
)
def test_an_address_to_use_instead(device: MakeDevice, url: str, encrypted: str) -> None:
    """The encrypted address that is proposed is one that is taken, with its port."""
    hint = device("new").run("register", "somebody", "--server", url).error["hint"]
    assert hint.startswith(f"Use {encrypted};")
    assert relay_address(encrypted) == encrypted


def test_an_invitation_that_can_be_none(device: MakeDevice) -> None:
    """What is too long for a code is refused before anybody is asked."""
    new = device("new")
    register = ("register", "somebody", "--server", ELSEWHERE, "--invitation")
    check_failure(new.run(*register, "x" * (INVITATION_CODE_MAX + 1)), 1, "bad-invitation")
    check_failure(new.run(*register, "x" * INVITATION_CODE_MAX), 3, "unreachable")
    assert not new.directory.exists()


def test_what_is_not_there(alice: Device, device: MakeDevice) -> None:
    """Unknown names, devices, profiles and files are named."""
    check_failure(alice.run("send", "nobody", "-m", "x"), 1, "unknown-name")
    check_failure(alice.run("security-code", "nobody"), 1, "unknown-name")
    check_failure(alice.run("messages", "--with", "nobody"), 1, "unknown-contact")
    check_failure(alice.run("verify", "nobody"), 1, "unknown-contact")
    check_failure(alice.run("verify", alice.name), 1, "own-code")
    check_failure(alice.run("devices", "logout", "7"), 1, "no-such-device")
    check_failure(alice.run("devices", "logout", "0"), 1, "phone-stays")
    check_failure(device("nothing").run("send", "x1", "-m", "x"), 1, "no-profile")
    assert alice.run("contacts").lines == []


def test_one_bad_name_of_several(person: MakeDevice) -> None:
    """The others still get the message, and the status says that one did not."""
    alice, bob = person("alice"), person("bob")
    ended = alice.run("send", "nobody", bob.name, "-m", "to some of you")
    assert (ended.status, ended.error["error"]) == (1, "unknown-name")
    assert ended.line["to"] == bob.name
    assert bob.texts() == ["to some of you"]


@pytest.mark.parametrize(("text", "code"), [("", "message-empty"), ("x", "message-too-long")])
def test_a_message_of_the_wrong_size(person: MakeDevice, text: str, code: str) -> None:
    """Nothing of it is stored or sent; the longest allowed one arrives whole."""
    alice, bob = person("alice"), person("bob")
    wrong = text * (TEXT_MAX + 1)
    check_failure(alice.run("send", bob.name, "-m", wrong), 1, code)
    assert alice.run("messages").lines == []
    alice.send(bob.name, "y" * TEXT_MAX)
    assert bob.texts() == ["y" * TEXT_MAX]


def test_pictures_that_hold_no_link(alice: Device, tmp_path: Path) -> None:
    """Missing, torn, empty and foreign pictures are told apart."""
    foreign, torn, empty = (tmp_path / f"{name}.png" for name in ("foreign", "torn", "empty"))
    save_png("https://example.org", foreign)
    torn.write_bytes(foreign.read_bytes()[:90])
    empty.touch()
    for picture, code in (
        (foreign, "qr-not-untether"),
        (torn, "qr-unreadable"),
        (empty, "qr-unreadable"),
        (tmp_path, "qr-unreadable"),
        (tmp_path / "none.png", "qr-file-missing"),
    ):
        check_failure(alice.run("devices", "approve", "--qr-image", picture, "--yes"), 1, code)
    broken = tmp_path / "broken-link.png"
    save_png("untether://link/broken", broken)
    ended = alice.run("devices", "approve", "--qr-image", broken, "--yes")
    check_failure(ended, 1, "link-text-malformed")
    assert len(alice.run("devices").lines) == 1


def test_a_link_that_nobody_approves(alice: Device, device: MakeDevice, relay: Relay) -> None:
    """It ends by itself, leaves no profile, and its text is of no use afterwards."""
    laptop = device("laptop")
    ended = laptop.run("link", "--server", relay.url, "--account", alice.name, "--timeout", "0.5")
    assert (ended.status, ended.error["error"]) == (1, "link-expired")
    assert not laptop.directory.exists()
    late = alice.run("devices", "approve", ended.line["link_text"], "--yes")
    check_failure(late, 1, "link-expired")
    assert len(alice.run("devices").lines) == 1


def test_a_link_of_somebody_else(person: MakeDevice, device: MakeDevice, relay: Relay) -> None:
    """`--account` says no for any other account; neither side has linked anything."""
    mallory, laptop = person("mallory"), device("laptop")
    linking = laptop.start("link", "--server", relay.url, "--account", "alice")
    offer = linking.until(lambda line: "link_text" in line)
    approved = mallory.run("devices", "approve", offer["link_text"], "--yes")
    ended = linking.end()
    assert (approved.status, approved.error["error"]) == (1, "link-declined")
    assert (ended.status, ended.error["error"]) == (1, "link-declined")
    assert not laptop.directory.exists()
    assert len(mallory.run("devices").lines) == 1


def test_a_question_without_a_terminal(alice: Device, device: MakeDevice, relay: Relay) -> None:
    """Where nobody can be asked, the option that answers is named, and nothing is linked."""
    laptop = device("laptop")
    linking = laptop.start("link", "--server", relay.url, "--account", alice.name, "--timeout", "9")
    offer = linking.until(lambda line: "link_text" in line)
    unanswered = alice.run("devices", "approve", offer["link_text"])
    check_failure(unanswered, 1, "nobody-to-ask")
    assert "--yes" in unanswered.error["hint"]
    assert alice.run("devices", "approve", offer["link_text"], "--yes").status == 0
    linked = linking.end().lines[-1]["device"]
    assert alice.run("devices", "logout", f"{linked}").status == 0


def test_a_fifth_companion(
    person: MakeDevice, device: MakeDevice, link: Link, relay: Relay
) -> None:
    """Four are linked; a fifth must wait until another one is logged out."""
    alice = person("alice")
    for number in range(COMPANIONS_MAX):
        link(alice, f"companion-{number}")
    fifth = device("fifth")
    linking = fifth.start("link", "--server", relay.url, "--account", alice.name)
    offer = linking.until(lambda line: "link_text" in line)
    approved = alice.run("devices", "approve", offer["link_text"], "--yes")
    check_failure(approved, 1, "link-limit-reached")
    assert len(alice.run("devices").lines) == COMPANIONS_MAX + 1
    assert alice.run("devices", "logout", "2").status == 0
    assert alice.run("devices", "approve", offer["link_text"], "--yes").status == 0
    assert linking.end().status == 0
    assert [line["device"] for line in alice.run("devices").lines] == [0, 1, 3, 4, 5]


def test_a_home_of_nobody(alice: Device) -> None:
    """A ~ that leads nowhere is an error with a code, wherever a path may stand."""
    for arguments in (
        ("--profile", "~nosuchuser", "contacts"),
        ("--profile", "~nosuchuser", "register", "somebody", "--server", ELSEWHERE),
        ("invite", "--data", "~nosuchuser/relay"),
    ):
        check_failure(in_process("-o", "json", *arguments), 1, "no-such-home")
    environment = child_environment(UNTETHER_PROFILE="~nosuchuser")
    check_failure(
        Running("-o", "json", "contacts", environment=environment).end(), 1, "no-such-home"
    )


def test_a_file_without_an_end(device: MakeDevice, relay: Relay) -> None:
    """Files are read up to what they may have; more is no file of that kind."""
    endless = Path("/dev/zero")
    check_failure(in_process("-o", "json", "invite", "--config", endless), 1, "bad-config")
    new = device("new")
    recover = ("recover", "alice", "--server", relay.url, "--recovery-file", endless)
    check_failure(new.run(*recover), 1, "recovery-file-unreadable")
    broken = device("broken")
    broken.directory.mkdir()
    (broken.directory / "profile.json").symlink_to(endless)
    check_failure(broken.run("contacts"), 1, "profile-damaged")
    (broken.directory / "profile.json").unlink()
    os.mkfifo(broken.directory / "profile.json")  # and one that nobody writes to
    check_failure(broken.process("contacts"), 1, "profile-damaged")


@pytest.mark.parametrize(
    ("written", "code"),
    [("not a code", "bad-recovery-code"), ("", "bad-recovery-code"), (None, None)],
)
def test_a_recovery_code_that_is_none(
    device: MakeDevice, relay: Relay, tmp_path: Path, written: str | None, code: str | None
) -> None:
    """A wrong code or file is named, and no profile is left."""
    new, file = device("new"), tmp_path / "code"
    if written is not None:
        file.write_text(written)
    ended = new.run("recover", "alice", "--server", relay.url, "--recovery-file", file)
    assert ended.status == ExitStatus.USER_ERROR
    assert ended.error["hint"]
    assert code is not None or ended.error["error"] == "recovery-file-unreadable"
    assert not new.directory.exists()


def test_a_recovery_of_another_name(device: MakeDevice, relay: Relay, tmp_path: Path) -> None:
    """A good code under a wrong name is refused, and works under the right one."""
    alice, new, file = device("alice-recovery"), device("new"), tmp_path / "code"
    registered = alice.run("register", alice.name, "--server", relay.url).line
    file.write_text(registered["recovery_code"])
    options = ("--server", relay.url, "--recovery-file", file, "--keep-none")
    check_failure(new.run("recover", "alice-other", *options), 1, "recovery-wrong-name")
    assert not new.directory.exists()
    assert new.run("recover", alice.name, *options).status == 0


def test_a_profile_that_is_somebody_s(alice: Device, relay: Relay, tmp_path: Path) -> None:
    """A profile in use is not used for another account, and is never removed."""
    check_failure(alice.run("register", "other", "--server", relay.url), 1, "already-registered")
    check_failure(alice.run("link", "--server", relay.url), 1, "already-registered")
    recovered = alice.run("recover", "other", "--server", relay.url)
    check_failure(recovered, 1, "other-account")
    assert alice.run("status").line["connected"] is True
    file = tmp_path / "file"
    file.write_text("mine")
    ended = Device(file, alice.passphrase_file).run("register", "file", "--server", relay.url)
    check_failure(ended, 1, "io-error")
    assert file.read_text() == "mine"


def test_a_directory_with_other_files(device: MakeDevice, person: MakeDevice, relay: Relay) -> None:
    """A failed registration takes its own files away, and nobody else's."""
    taken, new = person("taken"), device("documents")
    new.directory.mkdir()
    letter = new.directory / "letter.txt"
    letter.write_text("dear Bob")
    check_failure(new.run("register", taken.name, "--server", relay.url), 6, "name-taken")
    assert list(new.directory.iterdir()) == [letter]


@pytest.fixture
def damage(person: MakeDevice) -> Callable[[slice], Device]:
    """Overwrite a part of a new person's database."""

    def damaged(part: slice) -> Device:
        somebody = person("damaged")
        somebody.send(somebody.name, "note")
        database = somebody.directory / "device.db"
        content = bytearray(database.read_bytes())
        content[part] = bytes(len(content[part]))
        database.write_bytes(content)
        return somebody

    return damaged


@pytest.mark.parametrize(
    ("part", "code"),
    [(slice(4096), "database-key-wrong"), (slice(4096, None), "database-corrupt")],
)
def test_a_corrupt_database(damage: Callable[[slice], Device], part: slice, code: str) -> None:
    """Damage is told from a wrong passphrase; nothing is made in its place."""
    somebody = damage(part)
    size = (somebody.directory / "device.db").stat().st_size
    check_failure(somebody.run("messages"), 1, code)
    check_failure(somebody.run("register", "other", "--server", ELSEWHERE), 1, code)
    assert (somebody.directory / "device.db").stat().st_size == size


@pytest.mark.parametrize(("days", "side"), [(-1, "behind"), (1, "ahead")])
def test_a_clock_that_is_wrong_by_a_day(
    person: MakeDevice, monkeypatch: pytest.MonkeyPatch, days: int, side: str
) -> None:
    """The person is told how far it is off; mail still goes both ways."""
    alice, bob = person("alice"), person("bob")

    def shifted() -> UnixMillis:
        return UnixMillis(wall_clock() + days * DAY_MS)

    with monkeypatch.context() as patch:
        patch.setattr("untether.native.Driver", functools.partial(Driver, clock=shifted))
        sent = alice.run("send", bob.name, "-m", "what time is it?")
        assert sent.notices == ["clock-differs"]
        assert side in sent.errors
        assert sent.line["state"] == "sent"
        assert "1440 minutes" in alice.text("status").errors
    assert bob.texts() == ["what time is it?"]
    assert alice.run("status").notices == []


def test_interrupted_creation_is_made_good(device: MakeDevice, relay: Relay) -> None:
    """A registration killed at any moment leaves nothing or what the same command finishes."""
    for delay in (0.1, 0.9):
        new = device(f"killed-{int(delay * 10)}")
        register = ("register", new.name, "--server", relay.url)
        started = new.start(*register)
        time.sleep(delay)
        started.process.kill()
        killed = started.end()
        finished = new.run(*register)
        if finished.status == 0:
            assert finished.line["recovery_code"]
        else:  # it had just been finished
            check_failure(finished, 1, "already-registered")
            assert killed.line["recovery_code"]
        assert new.run("status").line["state"] == "active"
