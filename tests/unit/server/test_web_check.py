"""``untether verify-web``: the app that a relay serves, compared with the installed one."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
from pathlib import Path

import pytest
from aiohttp import web
from tests.commands.command_line import in_process
from tests.unit.server.served_apps import (
    FILES,
    INSTALLED,
    OTHER_KEY,
    OWN_KEY,
    SCRIPT,
    answer_of,
    answering,
    headers_of,
    served,
    states,
    verify,
    write_release,
)

from untether.base.secret_bytes import SecretBytes
from untether.server import web_answer, web_check, web_files
from untether.server.web_files import WebFiles
from untether.server.web_manifest import MANIFEST

pytestmark = pytest.mark.usefixtures("_installed")


async def test_the_installed_app_is_verified(tmp_path: Path) -> None:
    """A relay of the same release: status 0, for programs and for people."""
    async with served(tmp_path) as url:
        ended = await verify(url)
        told = await asyncio.to_thread(in_process, "verify-web", url)
    assert (ended.status, ended.errors) == (0, "")
    assert ended.line["event"] == "verified"
    assert (ended.line["address"], ended.line["version"]) == (url, "1.2.3")
    assert (ended.line["files"], ended.line["same_builder"]) == (3, True)
    assert told.output == (
        f"All 3 files at {url} are those of version 1.2.3, signed by the builder of the "
        "installed one.\n"
        "This was served here and now. It says nothing of what other people are served, or of what "
        "a browser has kept from earlier visits.\n"
    )


async def test_the_same_files_of_another_builder_are_the_same_files(tmp_path: Path) -> None:
    """Whoever builds the same sources signs with a key of their own; that is shown."""
    folder = write_release(tmp_path / "other", key=OTHER_KEY)
    async with served(tmp_path, folder) as url:
        ended = await verify(url)
    assert (ended.status, ended.line["same_builder"]) == (0, False)


@pytest.mark.parametrize("key", [OWN_KEY, OTHER_KEY], ids=["own", "other"])
async def test_a_changed_release_is_named(tmp_path: Path, key: SecretBytes) -> None:
    """Changed, left out and added by somebody who can sign: each file is named."""
    files = {**FILES, "index.html": b"<!doctype html>evil", "assets/evil.js": b"steal()"}
    del files["python-1a2b/pyodide.asm.wasm"]
    folder = write_release(tmp_path / "other", files, key=key)
    async with served(tmp_path, folder) as url:
        ended = await verify(url)
    assert states(ended) == {
        "index.html": "differs",
        "python-1a2b/pyodide.asm.wasm": "missing",
        "assets/evil.js": "extra",
    }
    assert (ended.status, ended.error["error"], ended.error["files"]) == (4, "web-differs", 3)


async def test_a_release_that_was_packed_otherwise_is_named(tmp_path: Path) -> None:
    """The same files, and another list of what they are packed to."""
    folder = write_release(tmp_path / "other", packed=b"packed by another Brotli")
    async with served(tmp_path, folder) as url:
        ended = await verify(url)
    assert states(ended) == {SCRIPT: "differs"}


async def test_another_version_is_said(tmp_path: Path) -> None:
    """Nothing can be said of another version, also when no file differs."""
    folder = write_release(tmp_path / "other", version="1.2.4")
    async with served(tmp_path, folder) as url:
        ended = await verify(url)
    assert (ended.status, ended.error["error"], ended.lines) == (4, "web-other-version", [])
    assert "1.2.4" in ended.error["message"]


@pytest.mark.parametrize(
    ("path", "change", "state"),
    [
        ("index.html", {"content": b"<!doctype html>evil"}, "differs"),
        (SCRIPT, {"content": FILES[SCRIPT] + b";steal()"}, "differs"),
        (SCRIPT, {"content": FILES[SCRIPT][:-1]}, "differs"),
        (SCRIPT, {"brotli": b"what Brotli makes of evil"}, "differs"),
        ("index.html", {"brotli": b"evil, where none is packed here"}, "differs"),
    ],
)
async def test_what_the_list_does_not_admit_is_found(
    tmp_path: Path, path: str, change: dict[str, object], state: str
) -> None:
    """The list is the right one, what is sent is not: packed, or not packed."""

    def spoil(files: WebFiles) -> None:
        files.files = {**files.files, path: dataclasses.replace(files.files[path], **change)}  # type: ignore[arg-type]

    async with served(tmp_path, spoil=spoil) as url:
        ended = await verify(url)
    assert states(ended) == {path: state}
    assert (ended.status, ended.error["error"]) == (4, "web-differs")


async def test_twin_that_believes_the_list_finds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list alone is right, whatever is sent."""
    monkeypatch.setattr(web_answer, "_is_same", lambda *_: True)

    def spoil(files: WebFiles) -> None:
        evil = dataclasses.replace(files.files["index.html"], content=b"<!doctype html>evil")
        files.files = {**files.files, "index.html": evil}

    async with served(tmp_path, spoil=spoil) as url:
        ended = await verify(url)
    assert (ended.status, ended.line["event"]) == (0, "verified")


async def test_a_listed_file_that_is_not_served_is_missing(tmp_path: Path) -> None:
    """Listed there, and not found when it is asked for."""

    def spoil(files: WebFiles) -> None:
        files.files = {path: file for path, file in files.files.items() if path != SCRIPT}

    async with served(tmp_path, spoil=spoil) as url:
        ended = await verify(url)
    assert states(ended) == {SCRIPT: "missing"}


async def test_the_address_that_people_open_is_looked_at() -> None:
    """The right index.html helps nobody when the address itself shows another page."""

    async def answer(request: web.Request) -> web.Response:
        path = request.match_info["path"]
        return answer_of({**INSTALLED, "": b"<!doctype html>evil"}, path)

    async with answering(answer) as url:
        assert states(await verify(url)) == {"index.html": "differs"}


async def test_nobody_is_sent_elsewhere(tmp_path: Path) -> None:
    """A redirection leads a browser to what was not looked at."""
    async with served(tmp_path) as elsewhere:

        async def answer(request: web.Request) -> web.Response:
            path = request.match_info["path"]
            if path == SCRIPT:
                raise web.HTTPFound(f"{elsewhere}/{path}")
            return answer_of(INSTALLED, path or "index.html")

        async with answering(answer) as url:
            assert states(await verify(url)) == {SCRIPT: "missing"}


def by_gzip(content: bytes) -> bytes:
    """Pack, without the time."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("packed", "state"),
    [
        (by_gzip(FILES[SCRIPT]), None),
        (by_gzip(FILES[SCRIPT] + b";steal()"), "differs"),
        (by_gzip(FILES[SCRIPT]) + by_gzip(b";steal()"), "differs"),
        (by_gzip(FILES[SCRIPT])[:-1], "differs"),
        (b"no gzip", "differs"),
    ],
)
async def test_what_a_proxy_packs_is_unpacked(packed: bytes, state: str | None) -> None:
    """A proxy may pack by gzip; what is in it must be the file, all of it and no more."""

    async def answer(request: web.Request) -> web.Response:
        path = request.match_info["path"] or "index.html"
        answered = answer_of(INSTALLED, path)
        if path == SCRIPT and "gzip" in request.headers["Accept-Encoding"]:
            answered.body = packed
            answered.headers["Content-Encoding"] = "gzip"
        return answered

    async with answering(answer) as url:
        assert states(await verify(url)) == ({SCRIPT: state} if state else {})


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    """What is longer than the file is not the file; nothing more of it is read."""
    sent = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        path = request.match_info["path"] or "index.html"
        if path != SCRIPT:
            return answer_of(INSTALLED, path)
        endless = web.StreamResponse(headers=headers_of(path))
        await endless.prepare(request)
        while True:
            await endless.write(bytes(65_536))
            sent += 65_536

    async with answering(answer) as url:  # type: ignore[arg-type]
        assert states(await verify(url)) == {SCRIPT: "differs"}
    assert sent < 64 * 1024 * 1024


async def test_a_list_that_nobody_signed_is_refused() -> None:
    """The hashes could be anybody's."""

    async def answer(request: web.Request) -> web.Response:
        path = request.match_info["path"] or "index.html"
        forged = INSTALLED[MANIFEST].replace(b"1.2.3", b"1.2.4")
        return answer_of({**INSTALLED, MANIFEST: forged}, path)

    async with answering(answer) as url:
        ended = await verify(url)
    assert (ended.status, ended.error["error"]) == (4, "bad-web-signature")


@pytest.mark.parametrize("manifest", [None, b"<!doctype html>", b"{}", bytes(300 * 1024)])
async def test_other_servers_have_no_app(manifest: bytes | None) -> None:
    """A relay without the app, or something else."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=404) if manifest is None else web.Response(body=manifest)

    async with answering(answer) as url:
        ended = await verify(url)
    assert (ended.status, ended.error["error"]) == (3, "no-web-app-there")


async def test_nobody_answers(tmp_path: Path) -> None:
    """The relay has gone."""
    async with served(tmp_path) as url:
        pass
    ended = await verify(url)
    assert (ended.status, ended.error["error"]) == (3, "unreachable")


async def test_whoever_is_too_slow_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay can't keep the command for ever."""
    monkeypatch.setattr(web_check, "WEB_FILE_MS", 100)

    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(2)
        return web.Response()

    async with answering(answer) as url:
        ended = await verify(url)
    assert (ended.status, ended.error["error"]) == (3, "unreachable")
    assert "slowly" in ended.error["message"]


async def test_an_installation_without_the_app_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing to compare with."""
    monkeypatch.setattr(web_files, "FOLDER", tmp_path / "none")
    ended = await verify("https://relay.example")
    assert (ended.status, ended.error["error"]) == (1, "no-web-app-here")
