"""The style of the code, held by tests: lengths and docstrings (CONTRIBUTING, "Rules")."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
FOLDERS = ("src", "tests", "benchmarks", "vectors", "tools", "simulation", "fuzz")
ALL = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
LONG_REASON = "Long because"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """Name a file in a test's id."""
    return str(path.relative_to(ROOT))


def public_definitions(tree: ast.Module) -> Iterator[Function | ast.ClassDef]:
    """Yield the public classes, functions and methods of a module."""
    waiting: list[ast.Module | ast.ClassDef] = [tree]
    while waiting:
        for node in waiting.pop().body:
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                yield node
                if isinstance(node, ast.ClassDef):
                    waiting.append(node)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_long_file_says_why(path: Path) -> None:
    """A file above the limit has a second noun in it, or a reason in its docstring."""
    text = path.read_text()
    docstring = ast.get_docstring(ast.parse(text)) or ""

    assert text.count("\n") <= FILE_LINES_MAX or LONG_REASON in docstring


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_no_function_is_long(path: Path) -> None:
    """A function fits a screen."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Function):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= FUNCTION_LINES_MAX, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_everything_public_has_a_docstring(path: Path) -> None:
    """Modules, classes, functions and methods say what they are for."""
    tree = ast.parse(path.read_text())

    assert ast.get_docstring(tree)
    bare = [node.name for node in public_definitions(tree) if not ast.get_docstring(node)]
    assert bare == []


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_is_half_built(path: Path) -> None:
    """What is not there is absent; no note promises it."""
    text = path.read_text()
    for word in ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error"):
        assert word not in text


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_module_offers_names_of_another(path: Path) -> None:
    """A name is imported from where it is defined; mypy refuses what is not even listed."""
    assert "__all__" not in path.read_text()
