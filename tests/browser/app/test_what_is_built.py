"""What the build of the web app writes: all of it listed, nothing else, and the same each time."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import brotli
import pytest
from tests.browser.app.built_app import python_folder_of

import build_webapp
from untether.crypto.provider import provider
from untether.server import web_files
from untether.server.web_manifest import MANIFEST, read_manifest
from webapp_licenses import LICENSES

QUICK_MAX = build_webapp.TRANSFER_MAX * 5 // 4
"""Bytes, quickly compressed: a quarter more than a release may have."""
KNOWN_PARTS = ("libsodium-sumo ", "msgspec ", "pyodide ", "Python 3", "qr ", "svelte ", "virtua ")
KNOWN_TERMS = (
    "Jim Crist-Harif",
    "Mozilla Public License Version 2.0",
    "PYTHON SOFTWARE FOUNDATION LICENSE",
    "[Svelte Contributors]",
    "inokawa",
)
RUNS_TEXT = re.compile(rb"\beval\(|\bnew Function\(")
PYODIDES_OWN = "pyodide.asm.mjs"
"""Its glue can run text for C programs that ask for it; the policy of the page would stop it."""


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder by their paths."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def hashes_of(files: dict[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of each file, in hexadecimal."""
    return {path: sha256(content).hexdigest() for path, content in files.items()}


def test_everything_is_listed_with_its_hash_and_signed(app_folder: Path) -> None:
    """The relay takes the folder as it is."""
    files = files_of(app_folder)
    manifest = read_manifest(files.pop(MANIFEST))
    plain = {path: content for path, content in files.items() if not path.endswith(".br")}
    assert manifest.files == hashes_of(plain)
    assert {f"{path}.br": name for path, name in manifest.packed.items()} == hashes_of(
        {path: content for path, content in files.items() if path.endswith(".br")}
    )
    assert manifest.public_key == provider().ed25519_public(build_webapp.release_key()).hex()
    served = web_files.load(app_folder)
    assert served is not None
    assert set(served.files) == {*plain, MANIFEST}


def test_what_is_compressed_is_the_file_beside_it(app_folder: Path) -> None:
    """Most people only ever get the compressed files, and no browser compares them."""
    files = files_of(app_folder)
    compressed = {path for path in files if path.endswith(".br")}
    assert {"index.html.br", "service_worker.js.br"} < compressed
    for path in compressed:
        assert brotli.decompress(files[path]) == files[path.removesuffix(".br")], path


def test_nobody_waits_for_more_than_is_needed(app_folder: Path) -> None:
    """A standard library that is not trimmed would be noticed."""
    files = files_of(app_folder)
    sent = sum(
        len(files.get(f"{path}.br", content))
        for path, content in files.items()
        if not path.endswith(".br")
    )
    assert sent <= QUICK_MAX


def test_no_source_maps_and_nothing_that_runs_text(app_folder: Path) -> None:
    """Scripts are what they were built from, and never made while the app runs."""
    files = files_of(app_folder)
    assert [path for path in files if path.endswith((".map", ".ts", ".py"))] == []
    scripts = {path: files[path] for path in files if path.endswith((".js", ".mjs"))}
    assert len(scripts) >= 5
    found = [path for path, script in scripts.items() if RUNS_TEXT.search(script)]
    assert [Path(path).name for path in found] == [PYODIDES_OWN]


def test_what_others_wrote_comes_with_its_licence(app_folder: Path) -> None:
    """Each package that went into it, by name, and a screen that asks for the text."""
    files = files_of(app_folder)
    text = files[LICENSES].decode()
    assert [one for one in (*KNOWN_PARTS, *KNOWN_TERMS) if one not in text] == []
    assert any(b"/licenses.txt" in files[path] for path in files if path.startswith("assets/index"))


def test_python_is_compiled_and_stored(app_folder: Path) -> None:
    """Brotli compresses the zips as a whole, and nothing is compiled at a start."""
    for name in ("python_stdlib.zip", "packages.zip"):
        with ZipFile(python_folder_of(app_folder) / name) as packed:
            members = packed.infolist()
        assert {one.compress_type for one in members} == {ZIP_STORED}
        assert [one.filename for one in members] == sorted(one.filename for one in members)
        assert {Path(one.filename).suffix for one in members} <= {".pyc", ".sql", ".so"}


def test_a_second_build_gives_the_same_bytes(
    app_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At another place, in another time zone; so anybody can compare a release with its source."""
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    monkeypatch.setenv("LC_ALL", "C")
    again = tmp_path / "elsewhere" / "again"
    build_webapp.build(again, build_webapp.QUICK)
    assert files_of(again) == files_of(app_folder)
