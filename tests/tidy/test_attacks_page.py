"""The page of attacks names tests that are there, and every test of an attack is on it."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
PAGE = (ROOT / "docs" / "attacks.md").read_text()
NAMED = re.compile(r"`(?:(test_\w+)\.py::)?(test_\w+)`")
PUBLISHED = range(1, 37)


def rows(section: str) -> list[list[str]]:
    """Return the cells of all rows of a section's table, without its head."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


@cache
def functions_of(name: str) -> frozenset[str]:
    """Return the names of the test functions of a file."""
    (path,) = TESTS.rglob(f"{name}.py")
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [one.name for one in ast.parse(path.read_text()).body if isinstance(one, functions)]
    return frozenset(one for one in found if one.startswith("test_"))


def test_every_attack_has_one_test_and_its_twin() -> None:
    """Both are there; a twin says so in its name, or the test is its own."""
    for number, *_, test, twin in rows("Met"):
        ((file, proof),) = NAMED.findall(test)
        assert proof in functions_of(file), number
        if twin == "the same":
            continue
        ((other, without),) = NAMED.findall(twin)
        assert without in functions_of(other or file), number
        assert without.startswith(("test_twin_", "test_without_")), number


def test_every_published_attack_is_met_or_has_no_feature() -> None:
    """Nothing of the list is left out, or stands in both tables."""
    met = {int(re.sub(r"[a-z]", "", number)) for number, *_ in rows("Met")}
    absent = {int(number) for number, *_ in rows("Not yet: feature absent")}
    assert (met | absent) >= set(PUBLISHED)
    assert not met & absent


def test_every_defence_stands_in_the_specification() -> None:
    """A page of the specification has the sections that a defence names."""
    for number, _, _, defence, *_ in rows("Met"):
        (places,) = re.findall(r"\(spec (.+)\)", defence)
        for place in places.split("; "):
            page, *sections = place.split(", ")
            (path,) = (ROOT / "docs" / "spec").glob(f"{page}-*.md")
            for section in sections:
                assert f"\n## {section}\n" in path.read_text(), f"{number}: {place}"


def test_every_named_test_is_there() -> None:
    """Also those that are named beside the table."""
    for file, name in NAMED.findall(PAGE):
        assert not file or name in functions_of(file), name


def test_every_test_of_an_attack_is_on_the_page() -> None:
    """A test that nobody finds by its attack proves less than it could."""
    named = {name for _, name in NAMED.findall(PAGE)}
    for path in (TESTS / "attacks").glob("test_*.py"):
        assert functions_of(path.stem) <= named, path.name
