"""The documents name what is there: files, links, verbs."""

import re
from pathlib import Path

import pytest

from untether.cli.main import VERBS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CODE_PATH = re.compile(r"`([a-z_]+/[a-z_/]+\.(?:py|sql|json))`")
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
        assert any((place / path).is_file() for place in PLACES), path


def test_every_verb_is_documented() -> None:
    """The page of the command line has the verbs that there are."""
    page = (ROOT / "docs" / "command-line.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)", page.split("\n## ")[0], re.MULTILINE)

    assert set(rows) == set(VERBS)
