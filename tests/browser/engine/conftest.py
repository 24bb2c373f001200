"""A page whose worker runs our Python packages, and these tests, in the real browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
from tests.browser.serving import CHROMIUM, ROOT, WEBAPP, built, needs_a_browser, served

from webapp_python import MSGSPEC, browsers_wheel

if TYPE_CHECKING:
    from playwright.sync_api import Page

RunPython = Callable[[str], str]

PYODIDE_FILES = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "pyodide-lock.json",
    "python_stdlib.zip",
)
OF_PYTEST = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments")
"""Written in Python alone, so the browser takes them as they are installed here."""


@pytest.fixture(scope="session")
def python_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the page; skip where that is impossible."""
    needs_a_browser()
    folder = built("tests/python/vite.config.ts", tmp_path_factory.mktemp("python-page"))
    (folder / "pyodide").mkdir()
    for name in PYODIDE_FILES:
        shutil.copy(WEBAPP / "node_modules" / "pyodide" / name, folder / "pyodide")
    with ZipFile(folder / "packages.zip", "w") as packed:
        for package in ("src/untether", "tests/vectors", "vectors"):
            _pack(packed, ROOT / package, package.removeprefix("src/"))
        for package in OF_PYTEST:
            _pack(packed, _folder_of(package), package)
        packed.writestr("py.py", (_folder_of("_pytest").parent / "py.py").read_text())
        with ZipFile(browsers_wheel(MSGSPEC)) as wheel:
            for name in wheel.namelist():
                packed.writestr(name, wheel.read(name))
    return folder


@pytest.fixture
def run_python(python_page: Path) -> Iterator[RunPython]:
    """Open the page and run source in its Python; a breach of the policy fails the test."""
    from playwright.sync_api import sync_playwright

    broken: list[str] = []
    with sync_playwright() as playwright, served(python_page) as address:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on(
            "console",
            lambda said: broken.append(said.text) if "Content Security" in said.text else None,
        )
        page.goto(address)
        yield lambda source: _run(page, source)
        browser.close()
    assert broken == []


def _run(page: Page, source: str) -> str:
    page.wait_for_function("!!window.runPython")
    answer: str = page.evaluate("source => window.runPython(source)", source)
    return answer


def _pack(packed: ZipFile, folder: Path, name: str) -> None:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            packed.write(file, f"{name}/{file.relative_to(folder)}")


def _folder_of(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent
