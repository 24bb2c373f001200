"""Codes stand in three places that must agree: the code, the specification, what people read."""

import re
from pathlib import Path
from typing import get_args

from untether.base.identifiers import UnixMillis
from untether.browser.waiting_words import waiting_text
from untether.cli.render import notice_line
from untether.client.notice_words import NOTICE_TEXTS, RED, REPAIR_ENDS, UNREAD_CAUSES
from untether.client.people import NamedNotice
from untether.client.waiting_words import CAUSES
from untether.device.store.notices import Notice
from untether.device.store.own_standing import SigningStopped
from untether.server.sockets import CLOSE_CODES
from untether.wire.client_frames import ClientFrame
from untether.wire.codec import Record
from untether.wire.content import Kind
from untether.wire.server_frames import ServerFrame

ROOT = Path(__file__).parents[2]
DEVICE = sorted((ROOT / "src/untether/device").rglob("*.py"))
RELAY = [
    path for folder in ("relay", "server") for path in (ROOT / "src/untether" / folder).glob("*.py")
]


def section(page: str, *names: str) -> str:
    """Return sections of a page of the specification."""
    text = next((ROOT / "docs/spec").glob(f"{page}-*.md")).read_text()
    return "\n".join(text.split(f"\n## {name}\n")[1].split("\n## ")[0] for name in names)


def first_column(text: str) -> set[str]:
    """Return the codes in the first column of the tables of a section."""
    firsts = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {code for cell in firsts for code in re.findall(r"`([a-z-]+)`", cell)}


def tags(*records: type[Record]) -> set[str]:
    """Return the tags by which records travel."""
    return {str(record.__struct_config__.tag) for record in records}


def posted_notices() -> set[str]:
    """Return the codes of all notices that a device posts."""
    text = "\n".join(path.read_text() for path in DEVICE)
    stopped = {cause.value for cause in SigningStopped if cause is not SigningStopped.NOT}
    return set(re.findall(r'\bcontext\.notice\(\s*"([a-z-]+)"', text)) | stopped


def line_of(notice: Notice, *, own: bool = False) -> str:
    """Return what people read of a notice that is about Bob or, if it is so, about themselves."""
    return notice_line(NamedNotice(notice, "bob", own, None))


def test_every_notice_is_specified_and_has_its_text() -> None:
    """A notice that is shown by its code helps nobody."""
    assert posted_notices() == first_column(section("07", "Notices")) == set(NOTICE_TEXTS)


def test_red_notices_are_those_of_the_specification() -> None:
    """What needs a person looks like it."""
    table = section("07", "Notices").splitlines()
    red = first_column("\n".join(line for line in table if line.split("|")[2:3] == [" red "]))
    assert red == RED


def test_every_notice_is_a_sentence() -> None:
    """A text that wants a detail which no notice has would end the command that shows it."""
    details: dict[str, int | str] = {
        "cause": "bad-message",
        "count": 2,
        "device": 1,
        "expires_at": 1_800_000_000_000,
        "name": "bob",
    }
    for code in NOTICE_TEXTS:
        for own in (False, True):
            line = line_of(Notice(1, code, None, details, UnixMillis(0)), own=own)

            assert line.endswith("."), code
            assert "1800000000000" not in line
            assert not own or "bob" not in line or code == "identity-changed"


def test_every_specified_cause_of_waiting_has_its_words() -> None:
    """Why a message waits is said in words."""
    told = section("06", "Outbox").partition("Causes:")[2]
    causes = set(re.findall(r"`([a-z-]+)`", told))

    assert causes
    assert causes <= set(CAUSES)


def test_no_cause_on_a_screen_names_a_command() -> None:
    """Nobody can type one there."""
    assert [cause for cause in CAUSES if "`" in waiting_text(cause)] == []
    assert waiting_text("no-such-account") == "the server does not know their account"


def test_every_specified_cause_of_unread_mail_has_its_words() -> None:
    """Why a message was not opened is said in words, and by its code to programs only."""
    told = section("07", "Inbox", "Senders", "Parking") + section("05", "Body")
    causes = set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", told))
    causes -= {"body-too-large", "duplicate-message"}  # of senders, and of no loss
    causes -= {"mail-lost", "removed-device-wrote"}  # notices

    assert causes == set(UNREAD_CAUSES)
    for code in ("message-lost", "message-not-readable"):
        for cause in (*causes, "anything-else"):
            notice = Notice(1, code, None, {"cause": cause}, UnixMillis(0))
            assert cause not in line_of(notice)


def test_every_specified_end_of_a_repair_has_its_words() -> None:
    """How a repair ended is said in words, behind the cause, and by its code to programs only."""
    ends = set(re.findall(r"given up: `([a-z-]+)`", section("10", "Asking")))

    assert ends == set(REPAIR_ENDS)
    for reason in ends:
        details: dict[str, int | str] = {"cause": "bad-message", "reason": reason}
        line = line_of(Notice(1, "message-not-readable", None, details, UnixMillis(0)))
        assert line.endswith(f"; {REPAIR_ENDS[reason]}.")


def test_frames_and_contents_are_those_of_the_specification() -> None:
    """No tag travels that the pages don't name, and none is named that does not travel."""
    assert tags(*get_args(ClientFrame)) == first_column(section("08", "Requests"))
    assert tags(*get_args(ServerFrame)) == first_column(section("08", "Answers", "Pushes"))
    assert tags(*get_args(Kind)) == first_column(section("05", "Content"))


def test_every_error_is_on_its_page() -> None:
    """Whatever is raised with a code of its own is found there, with a meaning."""
    page = (ROOT / "docs/error-codes.md").read_text()
    text = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    made = set(re.findall(r'\b[A-Z]\w*Error\(\s*"([a-z0-9-]+)",', text))

    assert len(made) > 100
    assert made <= set(re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE))
    assert "|  |  |" not in page


def test_causes_of_closing_are_those_of_the_specification() -> None:
    """A device that is closed finds the cause on the page."""
    table = section("08", "Connection")
    codes = re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", table, re.MULTILINE)

    assert {cause: int(code) for cause, code in codes} == CLOSE_CODES


def test_refusals_are_those_of_the_specification() -> None:
    """A client that knows the page knows every refusal."""
    text = "\n".join(path.read_text() for path in RELAY)
    calls = re.findall(r"\b(?:Refusal|Refused|AccountRefused)\(([^()]*)", text)
    given = {code for call in calls for code in re.findall(r'"([a-z-]+)"', call)}

    assert given | {"malformed"} == first_column(section("08", "Refusals"))
