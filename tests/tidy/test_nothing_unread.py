"""The web app keeps nothing that nobody reads: each word has a reader, each export an importer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

WEBAPP = Path(__file__).parents[2] / "webapp"
WORDS = WEBAPP / "src" / "words.ts"
WRITTEN = "types.ts"
"""Written from the engine's tables, whole, whoever reads it."""

_EXPORTED = re.compile(
    r"^export (?:async )?(?:const|let|function\*?|class|interface|type) (\w+)", re.MULTILINE
)
_EXPORTED_AGAIN = re.compile(r"^export (?:type )?\{([^}]*)\}", re.MULTILINE)
_IMPORTED = re.compile(r"import (?:type )?(?:\w+, )?\{([^}]*)\} from")
_SECTION = re.compile(r"^  \"?([\w-]+)\"?: \{$\n(.*?)^  \},$", re.MULTILINE | re.DOTALL)
_ALONE = re.compile(r"^  (\w+): (?!\{$)", re.MULTILINE)
_WORD = re.compile(r"^    \"?([\w-]+)\"?:", re.MULTILINE)


def sources() -> dict[Path, str]:
    """Read all sources of the web app, those of its build and its tests among them."""
    places = [WEBAPP.glob("*.ts"), (WEBAPP / "src").rglob("*"), (WEBAPP / "tests").rglob("*")]
    files = (path for place in places for path in place)
    return {path: path.read_text() for path in files if path.suffix in (".ts", ".svelte")}


def names_in(braces: str) -> set[str]:
    """Return the names that an import or export takes from its file."""
    each = (one.split(" as ")[0].strip().removeprefix("type ") for one in braces.split(","))
    return {name for name in each if name}


def unimported(texts: dict[Path, str]) -> set[str]:
    """Return what a TypeScript file exports and no file imports."""
    exported = set[str]()
    imported = set[str]()
    for path, text in texts.items():
        imported.update(*map(names_in, _IMPORTED.findall(text)))
        if path.suffix == ".ts" and path.name != WRITTEN:
            exported.update(_EXPORTED.findall(text))
            exported.update(f"{name} again" for name in _again(text))
    return exported - imported


def _again(text: str) -> Iterator[str]:
    for braces in _EXPORTED_AGAIN.findall(text):
        yield from names_in(braces)


def unread(words: str, readers: list[str]) -> set[str]:
    """Return the words of the table that no reader names, as ``section.word`` or ``word``."""
    table = words.split("export const words = {\n")[1]
    alone = _ALONE.findall(table)
    missing = {word for word in alone if not _any_names(readers, f"words.{word}")}
    for section, body in _SECTION.findall(table):
        fitting = [text for text in readers if _any_names([text], f"words.{section}")]
        missing |= {
            f"{section}.{word}"
            for word in _WORD.findall(body)
            if not any(_reads(text, section, word) for text in fitting)
        }
    return missing


def _reads(text: str, section: str, word: str) -> bool:
    """Whether a file that uses a section reads this word: by its name, or by a computed one."""
    at = rf"(?:words\.{section}|says)"
    return (
        re.search(rf"{at}(?:\.{re.escape(word)}\b|\[)|\b\w+\[\w+\.\w+\]\.{word}\b", text)
        is not None
    )


def _any_names(texts: list[str], what: str) -> bool:
    return any(re.search(rf"\b{re.escape(what)}\b", text) for text in texts)


def test_each_word_of_the_screens_has_a_reader() -> None:
    """A word that no screen says is deleted, not translated."""
    readers = [text for path, text in sources().items() if path != WORDS]
    assert unread(WORDS.read_text(), readers) == set()


def test_each_export_of_the_web_app_has_an_importer() -> None:
    """What only its own file uses is not exported; what nobody uses is not there."""
    assert unimported(sources()) == set()


def test_an_unread_word_and_an_unimported_export_would_be_found() -> None:
    """The twin: both searches find what they are there for, and only that."""
    table = 'export const words = {\n  app: "A",\n  close: "B",\n  lock: {\n    go: "C",\n'
    table += '    stay: "D",\n  },\n  why: {\n    "no-prf": "E",\n  },\n};\n'
    screen = "words.app; const says = words.lock; says.go; words.why[reason];"
    assert unread(table, [screen]) == {"close", "lock.stay"}
    exporting = "export function one() {}\nexport class Two {}\nexport type { Three };\n"
    importing = 'import { one as first, type Three } from "./a";'
    texts = {Path("a.ts"): exporting, Path("b.svelte"): importing}
    assert unimported(texts) == {"Two", "Three again"}
