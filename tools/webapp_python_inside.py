"""Runs inside the browser's Python, after ``webapp_python_exercise.py``: compile what was loaded.

``/packages`` holds our packages and msgspec as source, ``/packed`` takes what comes out:
``stdlib/`` and ``packages/``, both as compiled modules. The app starts in half
the time when nothing is compiled at its start, and half of the standard library stays away.
"""

from __future__ import annotations

import ast
import importlib._bootstrap_external as bootstrap
import sys
import zipfile
from pathlib import Path

PACKAGES, PACKED = Path("/packages"), Path("/packed")
STDLIB_ZIP = next(Path(entry) for entry in sys.path if entry.endswith(".zip"))
WHOLE = ("asyncio", "importlib", "json", "pyodide", "_pyodide", "sqlite3")
"""Packages of the standard library that import parts of themselves when they are needed."""
LEFT_OUT = (
    "asyncio/__main__", "asyncio/tools", "asyncio/unix", "asyncio/windows",
    "importlib/metadata", "importlib/resources",
    "json/__main__", "json/tool",
    "pyodide/docs",
    "sqlite3/__main__", "sqlite3/_completer", "sqlite3/dump",
)  # fmt: skip
"""Of those, what belongs to other systems, or to whoever sits at a prompt."""
GOES_WITHOUT = ("bz2", "compression/", "lzma")
"""What ``shutil`` tries to import and does without; Pyodide loads ``shutil`` at its start."""
ENCODINGS = ("aliases", "ascii", "cp437", "latin_1", "utf_8", "utf_16_le")
"""``cp437`` is how Python reads the names in its own zip file."""


def compiled(source: str, name: str, *, strip_asserts: bool) -> bytes:
    """Compile a module without its docstrings; its pyc is never compared with a source."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_docstring(node)
    code = compile(
        ast.fix_missing_locations(tree),
        name,
        "exec",
        dont_inherit=True,
        optimize=1 if strip_asserts else 0,
    )
    pyc = bootstrap._code_to_hash_pyc(code, bytes(8), checked=False)  # type: ignore[attr-defined]
    return bytes(pyc)


def _drop_docstring(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
) -> None:
    if ast.get_docstring(node, clean=False) is None:
        return
    if isinstance(node, ast.ClassDef):  # a dataclass without one would spell its signature
        node.body[0] = ast.copy_location(ast.Expr(ast.Constant(" ")), node.body[0])
    elif len(node.body) > 1:
        del node.body[0]
    else:
        node.body[0] = ast.copy_location(ast.Pass(), node.body[0])


def loaded_from(folder: Path) -> set[str]:
    """Return the files below a folder (or in a zip) that loaded modules came from."""
    origins = (
        getattr(getattr(one, "__spec__", None), "origin", None) for one in sys.modules.values()
    )
    start = f"{folder}/"
    return {one.removeprefix(start) for one in origins if one and one.startswith(start)}


def pack_stdlib() -> None:
    """Write the modules of the standard library that are needed."""
    wanted = loaded_from(STDLIB_ZIP)
    with zipfile.ZipFile(STDLIB_ZIP) as library:
        wanted |= {
            name
            for name in library.namelist()
            if name.split("/")[0] in WHOLE
            and name.endswith(".py")
            and not name.startswith(LEFT_OUT)
        }
        wanted |= {f"encodings/{name}.py" for name in ENCODINGS}
        wanted = {name for name in wanted if not name.startswith(GOES_WITHOUT)}
        for name in sorted(wanted):
            source = library.read(name).decode()
            write(PACKED / "stdlib" / f"{name}c", compiled(source, name, strip_asserts=True))


def pack_packages() -> None:
    """Write our modules and msgspec's that are needed, with their other files."""
    for name in sorted(loaded_from(PACKAGES)):
        source = PACKAGES / name
        if name.endswith(".py"):
            code = compiled(source.read_text(), name, strip_asserts=False)
            write(PACKED / "packages" / f"{name}c", code)
        else:
            write(PACKED / "packages" / name, source.read_bytes())
    for source in sorted((PACKAGES / "untether").rglob("*.sql")):
        write(PACKED / "packages" / source.relative_to(PACKAGES), source.read_bytes())


def write(path: Path, content: bytes) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


pack_packages()
pack_stdlib()
