"""Gathers the licences of all that others wrote and the built web app contains (decision 0142)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from webapp_python import LOCK, MODULES, MSGSPEC, ROOT, TYPING_EXTENSIONS, browsers_wheel

LICENSES = "licenses.txt"
UNSEEN = ("pyodide", "rolldown")
"""Packages of npm that no source map names: one is copied, one writes its helpers into scripts."""
TEXT_ELSEWHERE = {"MPL-2.0": "lightningcss"}
"""Licences that are the same for everybody, and a package that holds the text."""
BEGINNINGS = ("license", "licence", "copying", "notice")
HEAD = """Untether has the Apache License 2.0, which stands first. Its web app contains what \
follows, each under its own licence. Where a licence asks for the source code: it is at the \
address that is named, in the version that is named.
"""
RULE = "=" * 78


@dataclass(frozen=True)
class Part:
    """Something of others: what it is, in lines, and the texts of its licence."""

    lines: tuple[str, ...]
    texts: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((RULE, *self.lines, RULE, "", *self.texts))


def bundled_packages(folder: Path) -> set[str]:
    """Return the packages of npm that source maps name, and delete the maps."""
    names = set()
    for path in folder.rglob("*.map"):
        for source in json.loads(path.read_text())["sources"]:
            _, inside, below = source.rpartition("node_modules/")
            parts = below.split("/")
            if inside:
                names.add("/".join(parts[: 2 if below.startswith("@") else 1]))
        path.unlink()
    return names


def licenses(packages: Iterable[str], modules: Path = MODULES) -> str:
    """Return all licences as one text; SystemExit for a package that has none."""
    of_npm = [_of_npm(modules / name) for name in sorted({*packages, *UNSEEN})]
    own = Part(("Untether: Apache-2.0",), ((ROOT / "LICENSE").read_text(),))
    parts = [own, *of_npm, _of_wheel(MSGSPEC), _of_python()]
    return "\n".join((HEAD, *map(str, parts)))


def _of_npm(folder: Path) -> Part:
    package = json.loads((folder / "package.json").read_text())
    license_id = package.get("license", "")
    source = _address(package.get("repository", ""))
    texts = tuple(_texts(folder))
    if not texts and license_id in TEXT_ELSEWHERE:
        texts = tuple(_texts(folder.with_name(TEXT_ELSEWHERE[license_id])))
    if not (license_id and source and texts):
        raise SystemExit(f"{folder.name} goes into the web app without licence or source.")
    return Part(
        (f"{package['name']} {package['version']}: {license_id}", f"Source code: {source}"), texts
    )


def _texts(folder: Path) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name.lower().startswith(BEGINNINGS):
            yield path.read_text()


def _address(repository: str | dict[str, str]) -> str:
    """Return where a package's source is: npm allows an address, or ``owner/name`` at GitHub."""
    written = repository if isinstance(repository, str) else repository.get("url", "")
    address = written.removeprefix("git+").removesuffix(".git")
    host = "github.com"
    return address if "://" in address or not address else f"https://{host}/{address}"


def _of_wheel(requirement: str) -> Part:
    return Part((requirement.replace("==", " "),), _texts_of_wheel(requirement))


def _of_python() -> Part:
    """Python's licence, from a small package of the same owner that carries it whole."""
    version = json.loads(LOCK)["info"]["python"]
    changes = "Changed: of its library only what the app needs, compiled without docstrings."
    return Part((f"Python {version}: PSF-2.0", changes), _texts_of_wheel(TYPING_EXTENSIONS))


def _texts_of_wheel(requirement: str) -> tuple[str, ...]:
    with ZipFile(browsers_wheel(requirement)) as wheel:
        names = sorted(name for name in wheel.namelist() if ".dist-info/licenses/" in name)
        texts = tuple(wheel.read(name).decode() for name in names)
    if not texts:
        raise SystemExit(f"{requirement} goes into the web app without a licence.")
    return texts
