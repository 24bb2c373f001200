"""The documents name what is there: files, links, verbs."""

import argparse
import re
from importlib import import_module
from pathlib import Path

import pytest

from untether.cli.arguments import Parser
from untether.cli.main import VERBS

ROOT = Path(__file__).parents[2]
WEBAPP = ROOT / "webapp"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), WEBAPP / "README.md"])
SUFFIXES = "py|sql|json|ts|svelte|mjs"
CODE_PATH = re.compile(rf"`(?![^`]*NAME)([a-z_]+/[A-Za-z_/]+(?:\.svelte)?\.(?:{SUFFIXES}))`")
PLACES = (ROOT, ROOT / "src" / "untether")


def name_of(path: Path) -> str:
    """Name a document in a test's id."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    """A link into the tree names a file or folder of it."""
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_named_file_is_there(document: Path) -> None:
    """A path in code font, from the root or from the package, is a file."""
    for path in CODE_PATH.findall(document.read_text()):
        assert any((place / path).is_file() for place in (*PLACES, document.parent)), path


def test_the_page_of_the_web_app_has_all_of_it() -> None:
    """Each file and folder beside the screens' entry is in its table."""
    page = (WEBAPP / "README.md").read_text()
    named = set(re.findall(r"[\w.]+", page))
    there = {path.name for path in (*WEBAPP.glob("*.ts"), *(WEBAPP / "src").iterdir())}
    assert there - named == set()


def documented_verbs() -> dict[str, set[str]]:
    """Return the verbs of the page of the command line with their options."""
    page = (ROOT / "docs" / "command-line.md").read_text().split("\n## ")[0]
    verbs: dict[str, set[str]] = {}
    for verb, row in re.findall(r"^\| `([a-z-]+)(.*)", page, re.MULTILINE):
        usage = row.rpartition("` |")[0]
        verbs.setdefault(verb, set()).update(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", usage))
    return verbs


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    """Return the options of a parser and of the parsers below it."""
    options: set[str] = set()
    for action in parser._actions:
        options.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                options |= options_of(below)
    return options


def test_every_verb_and_option_is_documented() -> None:
    """The page of the command line has the verbs and options that there are."""
    common = options_of(Parser()) | {"--profile", "-o", "--passphrase-file"}
    given = {}
    for verb, (module, _) in VERBS.items():
        parser = Parser()
        import_module(f"untether.cli.{module}").VERBS[verb](parser)
        given[verb] = options_of(parser) - common

    assert documented_verbs() == given
