"""The packed Python, started from the built folder: nothing that the app imports is missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from tests.browser.app.built_app import python_folder_of
from tests.browser.serving import ROOT, needs_node

from webapp_python import EXERCISE, run_inside

SOURCE = ROOT / "src"

LOOK_FOR = """
import sys
from importlib.util import find_spec

def is_there(name):
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError: # nor what it would be in
        return False

sys.path.insert(0, "/packages")
missing = [name for name in {names!r} if not is_there(name)]
if missing:
    raise ImportError(f"not packed: {{missing}}")
"""


@pytest.fixture
def python_folder(app_folder: Path) -> Path:
    """Return the folder from which the browser's Python starts."""
    return python_folder_of(app_folder)


@pytest.fixture
def packages(python_folder: Path, tmp_path: Path) -> Path:
    """Unpack our packages, as the worker does at its start."""
    with ZipFile(python_folder / "packages.zip") as packed:
        packed.extractall(tmp_path / "packages")
    return tmp_path / "packages"


def imports_of(packages: Path) -> set[str]:
    """Return the modules that stand in imports of our packed modules, also in late ones."""
    return {
        name
        for path in packages.rglob("untether/**/*.pyc")
        for name in _imported((SOURCE / path.relative_to(packages)).with_suffix(".py"))
    }


def _imported(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (
                name
                for name in (f"{node.module}.{one.name}" for one in node.names)
                if (SOURCE / f"{name.replace('.', '/')}.py").exists()
            )


def look_for(names: set[str], python_folder: Path, packages: Path, scratch: Path) -> None:
    """Find modules in the packed Python; SystemExit names those that are missing."""
    script = scratch / "look_for.py"
    script.write_text(LOOK_FOR.format(names=sorted(names)))
    run_inside(needs_node(), python_folder, (script,), packages)


def test_every_import_finds_its_module(python_folder: Path, packages: Path, tmp_path: Path) -> None:
    """Also one inside a function that the exercise of the build never calls."""
    names = imports_of(packages)
    assert {"asyncio", "msgspec", "sqlite3", "untether.device.engine"} < names
    look_for(names, python_folder, packages, tmp_path)


def test_a_module_that_was_not_packed_is_named(
    python_folder: Path, packages: Path, tmp_path: Path
) -> None:
    """The twin: one of ours, the folder of one, and one of the library are named."""
    (packages / "untether" / "device" / "gaps.pyc").unlink()
    absent = {"tarfile", "untether.device.gaps", "untether.relay.requests"}
    with pytest.raises(SystemExit, match="not packed: ") as caught:
        look_for({*imports_of(packages), *absent}, python_folder, packages, tmp_path)
    assert f"not packed: {sorted(absent)}" in str(caught.value)


def test_a_build_fails_where_a_module_is_missing(python_folder: Path, packages: Path) -> None:
    """Its exercise runs once more over what was packed."""
    (packages / "untether" / "device" / "gaps.pyc").unlink()
    with pytest.raises(SystemExit, match=r"cannot import name 'gaps' from 'untether\.device'"):
        run_inside(needs_node(), python_folder, (EXERCISE,), packages)
