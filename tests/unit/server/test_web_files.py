"""The web app as the relay serves it: checked, compressed, under one policy."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from untether.base.errors import PlatformError
from untether.base.secret_bytes import SecretBytes
from untether.server import web_files
from untether.server.web_headers import POLICY
from untether.server.web_manifest import MANIFEST, read_manifest, sign_manifest

SEED = SecretBytes(b"\x07" * 32)
FILES = {
    "index.html": b"<!doctype html>",
    "assets/index-1a2b.js": b"let app;" * 100,
    "python-1a2b/pyodide.asm.wasm": b"\0asm",
    "licenses.txt": "© its authors".encode(),
}
SCRIPT = "assets/index-1a2b.js"
PACKED = {SCRIPT: b"compressed"}

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A release of three files, one of them compressed."""
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    for path, content in PACKED.items():
        (tmp_path / f"{path}.br").write_bytes(content)
    (tmp_path / MANIFEST).write_bytes(sign_manifest(FILES, PACKED, "1.2.3", SEED))
    return tmp_path


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[Client]:
    """A server of that release."""
    files = web_files.load(folder)
    assert files is not None

    async def answer(request: web.Request) -> web.Response:
        return files.answer(request)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestClient(TestServer(app), auto_decompress=False) as client:
        yield client


async def test_each_file_has_the_policy_and_its_type(client: Client) -> None:
    """Also the manifest, and what is not there."""
    types = {
        "/": "text/html",
        "/assets/index-1a2b.js": "text/javascript",
        "/python-1a2b/pyodide.asm.wasm": "application/wasm",
        "/manifest.json": "application/json",
        "/licenses.txt": "text/plain",
    }
    for path, kind in types.items():
        async with client.get(path, headers={"Accept-Encoding": "identity"}) as answer:
            assert (answer.status, answer.content_type) == (200, kind)
            assert answer.headers["Content-Security-Policy"] == POLICY
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            expected = FILES.get(path.lstrip("/") or "index.html")
            assert expected is None or await answer.read() == expected
    for path in ("/nothing", "/assets/../../secret", "/assets/index-1a2b.js.br"):
        async with client.get(path) as answer:
            assert answer.status == 404
            assert answer.headers["Content-Security-Policy"] == POLICY


async def test_a_plain_text_says_how_it_is_encoded(client: Client) -> None:
    """Names of authors are not all ASCII, and a text can't say so itself."""
    async with client.get("/licenses.txt") as answer:
        assert await answer.text() == "© its authors"
        assert answer.charset == "utf-8"


def test_the_policy_names_no_scheme() -> None:
    """What a script makes up, or another origin has, is no source of anything."""
    assert re.findall(r"[a-z]+:", POLICY) == []


async def test_what_is_named_by_its_content_is_kept_for_ever(client: Client) -> None:
    """The others are asked for again, and not sent again."""
    async with client.get("/assets/index-1a2b.js") as answer:
        assert "immutable" in answer.headers["Cache-Control"]
    async with client.get("/") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
        tag = answer.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"old", {tag}'):
        async with client.get("/", headers={"If-None-Match": known}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
            assert answer.headers["Content-Security-Policy"] == POLICY
    async with client.get("/", headers={"If-None-Match": '"old"'}) as answer:
        assert answer.status == 200


async def test_head_tells_of_a_file_without_sending_it(client: Client) -> None:
    """As long as the file, with its headers."""
    async with client.head("/", headers={"Accept-Encoding": "identity"}) as answer:
        assert (answer.status, await answer.read()) == (200, b"")
        assert answer.headers["Content-Length"] == str(len(FILES["index.html"]))


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("br", "br"), ("gzip, br;q=0.9", "br"), ("gzip", None), ("br;q=0", None), ("", None)],
)
async def test_compressed_where_it_is_taken(
    client: Client, accepted: str, encoding: str | None
) -> None:
    """Brotli, or the file as it is."""
    headers = {"Accept-Encoding": accepted}
    async with client.get("/assets/index-1a2b.js", headers=headers) as answer:
        assert answer.headers.get("Content-Encoding") == encoding
        assert answer.headers["Vary"] == "Accept-Encoding"


def test_a_changed_file_is_not_served(folder: Path) -> None:
    """Changed, missing, or with a manifest that nobody has signed."""
    (folder / "index.html").write_bytes(b"<!doctype html>!")
    assert refused(folder) == "web-damaged"
    (folder / "index.html").unlink()
    assert refused(folder) == "web-damaged"
    (folder / MANIFEST).write_bytes((folder / MANIFEST).read_bytes().replace(b"1.2.3", b"1.2.4"))
    assert refused(folder) == "web-unsigned"
    (folder / MANIFEST).write_bytes(b"{}")
    assert refused(folder) == "web-damaged"


def test_a_changed_packed_file_is_not_served(folder: Path) -> None:
    """It is what nearly all browsers get."""
    (folder / f"{SCRIPT}.br").write_bytes(b"what Brotli makes of evil")
    assert refused(folder) == "web-damaged"
    (folder / f"{SCRIPT}.br").unlink()
    assert refused(folder) == "web-damaged"


def test_a_packed_file_that_is_not_listed_is_not_served(folder: Path) -> None:
    """Somebody put it beside the others."""
    (folder / "index.html.br").write_bytes(b"what Brotli makes of evil")
    served = web_files.load(folder)
    assert served is not None
    assert served.files["index.html"].brotli is None
    assert served.files[SCRIPT].brotli == PACKED[SCRIPT]


def refused(folder: Path) -> str:
    """Return the code with which a folder is refused."""
    with pytest.raises(PlatformError) as caught:
        web_files.load(folder)
    return caught.value.code


def test_a_folder_that_was_named_must_hold_an_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The own one may be missing: a relay serves devices without it."""
    assert refused(tmp_path) == "web-damaged"
    monkeypatch.setattr(web_files, "FOLDER", tmp_path)
    assert web_files.load() is None


def test_a_manifest_holds_for_what_was_signed_only() -> None:
    """Each member is covered; another key signs nothing in the first one's name."""
    signed = sign_manifest(FILES, PACKED, "1.2.3", SEED)
    manifest = read_manifest(signed)
    assert manifest.version == "1.2.3"
    assert list(manifest.files) == sorted(FILES)
    other = read_manifest(sign_manifest(FILES, PACKED, "1.2.3", SecretBytes(bytes(32))))
    covered = (manifest.public_key, manifest.version, manifest.files["index.html"])
    for member in (*covered, manifest.packed[SCRIPT]):
        changed = signed.replace(member.encode(), other.public_key.encode())
        with pytest.raises(PlatformError):
            read_manifest(changed)
