"""No command is named on a screen: whoever uses the app has no terminal."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from untether.base.errors import LocalError
from untether.browser.notice_words import INSTEAD
from untether.browser.problems import HINTS, problem
from untether.client.notice_words import NOTICE_TEXTS, OWN_NOTICE_TEXTS
from untether.client.refusals import _TEXTS

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
