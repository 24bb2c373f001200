"""Refusals: every code that a relay can give has words for people, or is none of theirs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import untether
from untether.base.errors import ExitStatus, RateLimitedError, RefusedError
from untether.client import refusals
from untether.client.refusals import refusal
from untether.device.linking import SLOT_FAILURES

PACKAGE = Path(untether.__file__).parent

HANDLED_BY_THE_ENGINE = frozenset(
    {
        "bad-stamp",  # a device acknowledges only what it was given
        "malformed",  # an honest device sends no such frame
        "generation-not-higher",  # answered to a recovery, which looks at the newer list
        "no-such-device",  # lists and statements about devices that the relay forgot
        "no-such-list",
        "nothing-sealed",  # a verdict: the message stays queued with its cause
        "prekeys-missing",  # the phone's next run of lists ends earlier
        "wrong-side",  # a slot's sides are kept apart by the linking machines
        *SLOT_FAILURES,
    }
)
"""Refusals that no person can act upon: the engine does, or a defect caused them."""


def codes_raised(folder: str) -> set[str]:
    """Return the literal codes of all refusals in a package."""
    found = set()
    for path in (PACKAGE / folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", "")
            place = {"Refusal": 0, "Refused": 0, "RemoteError": 0, "AccountRefused": 1}.get(name)
            if place is not None and len(node.args) > place:
                found |= {
                    one.value
                    for one in ast.walk(node.args[place])
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                }
    return found


def test_every_refusal_has_words() -> None:
    """A new code in the relay needs a text here, or a reason why people never meet it."""
    raised = codes_raised("relay") | codes_raised("server")
    assert len(raised) > 15
    known = refusals._TEXTS.keys() | HANDLED_BY_THE_ENGINE | {"rate-limited"}
    assert raised - known == set()


def test_no_words_are_for_nothing() -> None:
    """A text whose code no relay gives any more would mislead its next reader."""
    ours = ("relay", "server", "protocol/identity", "device")
    raised = set[str]().union(*map(codes_raised, ours))
    assert refusals._TEXTS.keys() - raised == set()
    assert HANDLED_BY_THE_ENGINE - raised == set()


@pytest.mark.parametrize("code", [*sorted(refusals._TEXTS), "from-the-future"])
def test_each_has_a_message_and_a_next_step(code: str) -> None:
    """So has a code of a later release, which names itself."""
    error = refusal(code)
    assert isinstance(error, RefusedError)
    assert error.exit_status is ExitStatus.REFUSED
    assert error.message.endswith(".")
    assert error.hint
    assert error.details == {}


def test_waits_are_rounded_up() -> None:
    """Whoever waits as long as was said does not come too early."""
    error = refusal("rate-limited", 1_001)
    assert isinstance(error, RateLimitedError)
    assert error.exit_status is ExitStatus.RATE_LIMITED
    assert error.details == {"retry_after_s": 2}
    assert "2 seconds" in error.hint
    assert refusal("too-many-slots", 999).details == {"retry_after_s": 1}
