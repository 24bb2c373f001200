"""No command is named on a screen: whoever uses the app has no terminal."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from untether.base.errors import LocalError, RefusedError
from untether.base.identifiers import UnixMillis
from untether.browser.notice_words import INSTEAD, words_of
from untether.browser.problems import HINTS, problem
from untether.client.notice_words import NOTICE_TEXTS, OWN_NOTICE_TEXTS
from untether.client.people import NamedNotice
from untether.client.refusals import _TEXTS
from untether.device.store.notices import Notice

SOURCE = Path(__file__).parents[2] / "src" / "untether"
BELOW_THE_SCREENS = ("base", "wire", "protocol", "device", "client", "browser")


def hints_with_commands() -> Iterator[str]:
    """Yield the code of each error whose hint names a command."""
    for folder in BELOW_THE_SCREENS:
        for file in (SOURCE / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                texts = _texts(node)
                if len(texts) == 3 and "`" in texts[2]:
                    yield texts[0]


def _texts(node: ast.AST) -> list[str]:
    """Return code, message and hint where an error is written down."""
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error"):
        return [ast.unparse(one) for one in node.args[:3]] if len(node.args) >= 3 else []
    return []


def test_errors_that_name_commands_have_words_for_screens() -> None:
    """Each of them has another next step; those without a code of their own are refusals."""
    named = {ast.literal_eval(code) for code in hints_with_commands() if code.startswith("'")}
    assert len(named) > 10
    assert named - HINTS.keys() == set()
    assert not any("`" in hint for hint in HINTS.values())


def test_screens_call_the_relay_a_server() -> None:
    """In failures and notices, as in their own words; names and addresses stay what they are."""
    refused = problem(
        RefusedError(
            "x", "The relay said “relay”.", "Ask the relay's owner: https://relay.example.org."
        )
    )
    assert refused["message"] == "The server said “relay”."
    assert refused["hint"] == "Ask the server's owner: https://relay.example.org."
    details: dict[str, int | str] = {
        "cause": "x",
        "count": 2,
        "device": 1,
        "expires_at": 1,
        "name": "relay",
    }
    for code in NOTICE_TEXTS:
        notice = Notice(1, code, None, details, UnixMillis(0))
        for own in (False, True):
            said = words_of(NamedNotice(notice, "bob", own, None)).replace("“relay”", "")
            assert "relay" not in said.lower(), code
    lost = Notice(1, "message-lost", None, {"cause": "sender-never-known"}, UnixMillis(0))
    assert "A message of relay is lost on this device: the server never said" in words_of(
        NamedNotice(lost, "relay", False, None)
    )


def test_a_hint_with_a_command_is_never_shown() -> None:
    """Also one that nobody has thought of."""
    unknown = LocalError("unheard-of", "It failed.", "Run `untether mend`.")
    assert problem(unknown)["hint"] == ""
    assert problem(LocalError("no-account", "None.", "`untether register`"))["hint"]
    assert problem(LocalError("bad-name", "Bad.", "Use letters."))["hint"] == "Use letters."


def test_refusals_that_name_commands_have_words_for_screens() -> None:
    """The relay's refusals come from a table."""
    named = {code for code, (_, hint) in _TEXTS.items() if "`" in hint or "--" in hint}
    assert named
    assert named - HINTS.keys() == set()


def test_notices_that_name_commands_have_words_for_screens() -> None:
    """The same for notices."""
    named = {
        code for code, text in [*NOTICE_TEXTS.items(), *OWN_NOTICE_TEXTS.items()] if "`" in text
    }
    assert named
    assert named - {code for code, _ in INSTEAD} == set()
    assert not any("`" in text for text in INSTEAD.values())
