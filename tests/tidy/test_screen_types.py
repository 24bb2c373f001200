"""The shapes of the screens are those of the engine: calls, questions and events."""

from typing import Literal

import msgspec
import pytest

import write_screen_types as writer
from untether.browser import events, joining_calls, views
from untether.browser.app import App
from untether.browser.calls import CALLS, Call
from untether.browser.questions import IS_MINE, QUESTIONS, Question


def test_the_types_of_the_screens_are_written_from_the_engine() -> None:
    """Each name, each optional field and each type, of what is said in both directions."""
    assert writer.FILE.read_text() == writer.text(), "run: make tables"


class Scanned(msgspec.Struct):
    """The arguments of ``approve`` under another name."""

    text: str


class Asked(msgspec.Struct):
    """The details of ``is_mine`` with a field less."""

    account_name: str


async def _approve(app: App, scanned: joining_calls.Approve) -> views.Me:
    raise NotImplementedError(app, scanned)


def test_other_arguments_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: a renamed argument makes the file stale."""
    monkeypatch.setitem(CALLS, "approve", Call(Scanned, joining_calls.approve))
    assert writer.FILE.read_text() != writer.text()


def test_another_value_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: what a function returns is part of it."""
    monkeypatch.setitem(CALLS, "approve", Call(joining_calls.Approve, _approve))
    assert writer.FILE.read_text() != writer.text()


def test_another_question_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: a question without one of its details."""
    others = [one for one in QUESTIONS if one is not IS_MINE]
    monkeypatch.setattr(writer, "QUESTIONS", (*others, Question("is_mine", Asked, bool)))
    assert writer.FILE.read_text() != writer.text()


def test_another_event_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: an event that is no more."""
    monkeypatch.delattr(events, "LinkOffered")
    assert writer.FILE.read_text() != writer.text()


class Inner(msgspec.Struct, omit_defaults=True):
    """An object inside another."""

    kind: Literal["one", "other"]
    more: str | None = None


class Outer(msgspec.Struct):
    """One of everything."""

    number: int
    inner: list[Inner]
    either: tuple[Literal["one", "other"], ...]
    maybe: str | None
    left_out: str | None = None


def test_what_screens_say_may_lack_what_has_a_default() -> None:
    """What has no default may be null, but must be there."""
    assert writer.spelled(writer.given(Outer)) == (
        '{ number: number; inner: { kind: "one" | "other"; more?: string }[]; '
        'either: ("one" | "other")[]; maybe: string | null; left_out?: string }'
    )


def test_what_the_engine_says_lacks_only_what_it_omits() -> None:
    """A struct that writes its defaults is always whole."""
    assert writer.spelled(writer.said(Outer)).endswith("left_out: string | null }")
    assert writer.spelled(writer.said(Inner)) == '{ kind: "one" | "other"; more?: string }'


def test_a_type_that_screens_do_not_know_is_refused() -> None:
    """Bytes, for one: JSON has none."""
    with pytest.raises(ValueError, match="BytesType"):
        writer.said(bytes)
