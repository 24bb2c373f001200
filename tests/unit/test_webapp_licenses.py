"""Everything of others that the web app contains comes with its licence, or there is no build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import webapp_licenses
from webapp_licenses import UNSEEN, bundled_packages, licenses


@pytest.fixture(autouse=True)
def _no_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wheels come from the package index; a test of the build looks at theirs."""
    monkeypatch.setattr(webapp_licenses, "_texts_of_wheel", lambda _: ("of a wheel",))


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """The packages that always take part: one brings no text, since that is the same for all."""
    write_package(tmp_path, "pyodide", "MPL-2.0", text=None)
    write_package(tmp_path, "lightningcss", "MPL-2.0", text="Mozilla Public License")
    for name in set(UNSEEN) - {"pyodide"}:
        write_package(tmp_path, name, "MIT")
    return tmp_path


def write_package(
    modules: Path,
    name: str,
    license_id: str,
    text: str | None = "Permission is granted.",
    repository: object = "alice/package",
) -> None:
    """Install a package."""
    (modules / name).mkdir(parents=True)
    described = {
        "name": name,
        "version": "1.2.3",
        "license": license_id,
        "repository": repository,
    }
    (modules / name / "package.json").write_text(json.dumps(described))
    if text is not None:
        (modules / name / "licence.md").write_text(text)


def test_a_package_is_named_with_version_source_and_text(modules: Path) -> None:
    """As it is installed, also one of an organisation."""
    repository = {"type": "git", "url": "git+https://git.example/parts.git"}
    write_package(modules, "@others/parts", "ISC", "Copyright Bob", repository)
    text = licenses({"@others/parts"}, modules)
    assert "@others/parts 1.2.3: ISC\nSource code: https://git.example/parts\n" in text
    assert "Copyright Bob" in text
    assert "Apache License" in text


def test_a_text_that_is_the_same_for_all_may_come_from_another(modules: Path) -> None:
    """Pyodide's package names its licence and leaves the text out."""
    text = licenses((), modules)
    assert "pyodide 1.2.3: MPL-2.0" in text
    assert "Mozilla Public License" in text


@pytest.mark.parametrize(
    ("license_id", "text", "repository"),
    [
        ("MIT", None, "alice/package"),
        ("", "Permission is granted.", "alice/package"),
        ("MIT", "Permission is granted.", ""),
    ],
)
def test_without_licence_or_source_nothing_is_built(
    modules: Path, license_id: str, text: str | None, repository: str
) -> None:
    """Whoever adds a package learns it from the build."""
    write_package(modules, "bare", license_id, text, repository)
    with pytest.raises(SystemExit, match="bare"):
        licenses({"bare"}, modules)


def test_packages_are_known_by_the_maps_which_do_not_stay(tmp_path: Path) -> None:
    """A package of a package counts by its own name; our own sources are none."""
    sources = [
        "../src/main.ts",
        "../../node_modules/svelte/src/index.js",
        "../../node_modules/svelte/node_modules/clsx/dist/clsx.mjs",
        "../../node_modules/@others/parts/index.js",
    ]
    (tmp_path / "assets").mkdir()
    script, kept = tmp_path / "assets/index.js.map", tmp_path / "assets/index.js"
    script.write_text(json.dumps({"sources": sources}))
    kept.write_text("let app;")
    assert bundled_packages(tmp_path) == {"svelte", "clsx", "@others/parts"}
    assert list(tmp_path.rglob("*.*")) == [kept]
