"""The source of the web app: what is forbidden in it, and how long a file may be."""

import re
from pathlib import Path

import pytest

from untether.base import limits
from untether.base.identifiers import DAY_MS

SOURCE = Path(__file__).parents[2] / "webapp" / "src"
FILES = sorted(path for path in SOURCE.rglob("*") if path.suffix in (".ts", ".svelte"))
FILE_LINES_MAX = 250
ALL_WORDS = "words.ts"
"""Long because every word of the screens stands in it, to be read and translated at one place."""

FORBIDDEN = {
    "a text is parsed as markup": re.compile(r"\{@html|innerHTML|insertAdjacentHTML|DOMParser"),
    "a text is run": re.compile(r"\beval\(|new Function\("),
    "a style that the policy blocks": re.compile(r"<[a-z][^>]*\sstyle=\"", re.IGNORECASE),
    "a place without regard to the direction of writing": re.compile(
        r"^\s*(?:margin|padding|border|inset)?-?(?:left|right):", re.MULTILINE
    ),
    "something of another origin": re.compile(r"https?://"),
}


def name_of(path: Path) -> str:
    """Name a file in a test's id."""
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_of_the_web_app_is_short(path: Path) -> None:
    """A file above the limit has a second noun in it."""
    if path.name != ALL_WORDS:
        assert path.read_text().count("\n") <= FILE_LINES_MAX


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_forbidden_stands_in_the_web_app(path: Path) -> None:
    """What the policy of the page would stop is not written in the first place."""
    text = path.read_text()
    assert [rule for rule, pattern in FORBIDDEN.items() if pattern.search(text)] == []


@pytest.mark.parametrize(
    "bad",
    [
        "{@html message.text}",
        "box.innerHTML = text;",
        "new Function(text)",
        '<p class="x" style="color: red">',
        "  margin-left: 1rem;",
        "  right: 0;",
        'fetch("https://cdn.example.org")',
    ],
)
def test_what_is_forbidden_would_be_found(bad: str) -> None:
    """The twin: each rule finds what it is there for."""
    assert any(pattern.search(bad) for pattern in FORBIDDEN.values())


def test_bounds_of_the_screens_are_those_of_the_engine() -> None:
    """What a screen tells before the engine refuses is what the engine would refuse."""
    text = (SOURCE / "limits.ts").read_text()
    bounds = re.findall(r"^export const (\w+) = (\d+);$", text, re.MULTILINE)
    assert len(bounds) == text.count("export")
    for name, value in bounds:
        days = name.endswith("_DAYS")
        ours = getattr(limits, f"{name.removesuffix('_DAYS')}_MS" if days else name)
        assert int(value) * (DAY_MS if days else 1) == ours, name
