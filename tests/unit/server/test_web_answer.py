"""``untether verify-web``: what leads a browser to other code although every byte is right."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from aiohttp import web
from tests.unit.server.served_apps import (
    INSTALLED,
    PACKED,
    SCRIPT,
    Answer,
    answer_of,
    answering,
    headers_of,
    served,
    states,
    verify,
)

from untether.server import web_answer, web_check, web_files
from untether.server.web_files import WebFile, WebFiles
from untether.server.web_headers import HEADERS
from untether.server.web_manifest import MANIFEST
from untether.server.web_requests import Asking, requests_for

pytestmark = pytest.mark.usefixtures("_installed")

OPENED = ""
EVIL = b"<!doctype html>evil"


def with_headers(path: str, *added: tuple[str, str]) -> Answer:
    """Serve the installed app, one path with headers more."""

    async def answer(request: web.Request) -> web.Response:
        asked = request.match_info["path"]
        answered = answer_of(INSTALLED, asked or "index.html")
        for name, value in added if asked == path else ():
            answered.headers.add(name, value)
        return answered

    return answer


@pytest.mark.parametrize(
    ("added", "state"),
    [
        ([("Refresh", "0; url=/x.html")], "added-header"),
        ([("Link", "</x.js>; rel=modulepreload")], "added-header"),
        ([("Clear-Site-Data", '"storage"')], "added-header"),
        ([("Set-Cookie", "known=1")], "added-header"),
        ([("Service-Worker-Allowed", "/")], "added-header"),
        ([("Alt-Svc", 'h3="evil.example:443"')], "added-header"),
        ([("Alt-Svc", 'h3=":443", h2="evil.example:443"')], "added-header"),
        ([("Date", "now"), ("Date", "then")], "added-header"),
        ([("Content-Security-Policy", "default-src *")], "unprotected"),
        ([("Content-Type", "text/html")], "unprotected"),
        ([("X-Content-Type-Options", "nosniff")], "unprotected"),
    ],
)
@pytest.mark.parametrize("path", [OPENED, SCRIPT, MANIFEST])
async def test_a_header_that_leads_elsewhere_is_found(
    added: list[tuple[str, str]], state: str, path: str
) -> None:
    """The right bytes with a header more, or with one of them once again."""
    async with answering(with_headers(path, *added)) as url:
        ended = await verify(url)
    assert states(ended) == {path or "index.html": state}
    assert ended.lines[0]["headers"] == [added[0][0].lower()]
    assert (ended.status, ended.error["error"]) == (4, "web-differs")


async def test_twin_that_takes_any_header_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every browser goes elsewhere, and the bytes are right."""
    monkeypatch.setattr(web_answer, "_is_harmless", lambda *_: True)
    async with answering(with_headers(OPENED, ("Refresh", "0; url=/x.html"))) as url:
        ended = await verify(url)
    assert (ended.status, ended.line["event"]) == (0, "verified")


async def test_what_proxies_add_is_taken() -> None:
    """It says who answered, and how to come again."""
    path, added = (
        SCRIPT,
        [
            ("Via", "1.1 Caddy"),
            ("Via", "2.0 other"),
            ("Age", "7"),
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
            ("Alt-Svc", 'h3=":443"; ma=2592000, h3-29=":443"; ma=60'),
            ("Vary", "Accept-Encoding"),
        ],
    )
    async with answering(with_headers(path, *added)) as url:
        ended = await verify(url)
    assert (ended.status, states(ended)) == (0, {})


@pytest.mark.parametrize("name", [*HEADERS, "Content-Type", "Cache-Control"])
@pytest.mark.parametrize("value", [None, "other"])
async def test_each_header_of_the_installed_file_is_compared(name: str, value: str | None) -> None:
    """Left out, or with another value."""

    async def answer(request: web.Request) -> web.Response:
        asked = request.match_info["path"] or "index.html"
        answered = answer_of(INSTALLED, asked)
        if asked == SCRIPT:
            del answered.headers[name]
        if asked == SCRIPT and value is not None:
            answered.headers[name] = value
        return answered

    async with answering(answer) as url:
        ended = await verify(url)
    assert states(ended) == {SCRIPT: "unprotected"}
    assert ended.lines[0]["headers"] == [name.lower()]


async def test_several_packings_are_read_together() -> None:
    """A browser unpacks twice; the first of two headers alone would be the installed packing."""

    async def answer(request: web.Request) -> web.Response:
        asked = request.match_info["path"] or "index.html"
        if asked != SCRIPT:
            return answer_of(INSTALLED, asked)
        answered = web.Response(body=PACKED, headers=headers_of(SCRIPT))
        for packing in ("br", "gzip"):
            answered.headers.add("Content-Encoding", packing)
        return answered

    async with answering(answer) as url:
        assert states(await verify(url)) == {SCRIPT: "differs"}


async def test_a_header_that_browsers_read_as_two_is_found() -> None:
    """Chromium ends a line also at a lone carriage return."""
    content = INSTALLED["index.html"]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split()[1].decode().lstrip("/") or "index.html"
        headers = {**headers_of(path), "Content-Length": str(len(INSTALLED[path]))}
        lines = [f"{name}: {value}" for name, value in headers.items()]
        if INSTALLED[path] == content:
            lines.append("Server: x\rRefresh: 0; url=/x.html")
        head = "\r\n".join(["HTTP/1.1 200 OK", *lines, "Connection: close", "", ""])
        writer.write(head.encode() + INSTALLED[path])
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        ended = await verify(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert ended.status != 0
    assert "verified" not in ended.output


# --- a server that looks at who asks ----------------------------------------------------------

Suspects = Callable[[Mapping[str, str]], bool]
SUSPECTS: Mapping[str, Suspects] = {
    "whoever unpacks deflate": lambda asked: "deflate" in asked.get("Accept-Encoding", ""),
    "whoever unpacks zstd": lambda asked: "zstd" in asked.get("Accept-Encoding", ""),
    "Chromium": lambda asked: "Chrome/" in asked.get("User-Agent", ""),
    "who opens the address": lambda asked: asked.get("Sec-Fetch-Mode") == "navigate",
    "who takes pages": lambda asked: "text/html" in asked.get("Accept", ""),
    "who speaks a language": lambda asked: "Accept-Language" in asked,
    "who was here before": lambda asked: "If-None-Match" in asked,
}


def lying_to(is_victim: Suspects, path: str = OPENED, evil: bytes = EVIL) -> Answer:
    """Serve the installed app, and other code to victims."""

    async def answer(request: web.Request) -> web.Response:
        asked = request.match_info["path"]
        files = INSTALLED
        if asked == path and is_victim(request.headers):
            files = {**INSTALLED, asked or "index.html": evil}
        return answer_of(files, asked or "index.html")

    return answer


@pytest.mark.parametrize("victims", SUSPECTS)
async def test_a_server_that_lies_to_browsers_is_found(victims: str) -> None:
    """By nothing in its headers can it know a browser."""
    async with answering(lying_to(SUSPECTS[victims])) as url:
        assert states(await verify(url)) == {"index.html": "differs"}


@pytest.mark.parametrize(
    "is_victim",
    [
        lambda asked: asked.get("Sec-Fetch-Dest") == "script" and "sec-ch-ua" in asked,
        lambda asked: asked.get("Sec-Fetch-Dest") == "script" and "sec-ch-ua" not in asked,
        lambda asked: asked.get("Sec-Fetch-Dest") == "worker",
        lambda asked: asked.get("Sec-Fetch-Dest") == "empty",
        lambda asked: "If-Range" in asked,
    ],
    ids=["of the page", "of a worker", "a worker", "kept", "half kept"],
)
async def test_a_script_is_asked_for_in_all_ways(is_victim: Suspects) -> None:
    """A server also hears what a file is wanted for."""
    async with answering(lying_to(is_victim, SCRIPT, b"steal()")) as url:
        assert states(await verify(url)) == {SCRIPT: "differs"}


async def test_what_is_sent_is_what_a_browser_sends() -> None:
    """In its order, and nothing is added on the way."""
    seen = set()

    async def answer(request: web.Request) -> web.Response:
        path = request.match_info["path"]
        (first, _), *headers = [
            (name.decode(), value.decode()) for name, value in request.raw_headers
        ]
        assert first == "Host"
        seen.add((path, tuple(headers)))
        return answer_of(INSTALLED, path or "index.html")

    async with answering(answer) as url:
        assert (await verify(url)).status == 0
    installed = web_files.load()
    assert installed is not None
    paths = {OPENED: "index.html", **{path: path for path in installed.files}}
    assert seen == {
        (path, tuple(asking.items()))
        for path, name in paths.items()
        for asking in requests_for(path, installed.files[name], url)
    }


async def test_twin_that_asks_as_a_program_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Browsers get other code."""

    def of_a_program(*_: object) -> Iterator[Asking]:
        yield {"Accept-Encoding": "identity"}
        yield {"Accept-Encoding": "gzip, br"}

    monkeypatch.setattr(web_check, "requests_for", of_a_program)
    async with answering(lying_to(SUSPECTS["whoever unpacks deflate"])) as url:
        ended = await verify(url)
    assert (ended.status, ended.line["event"]) == (0, "verified")


async def test_the_answer_that_nothing_changed_is_looked_at() -> None:
    """A browser takes the headers of a 304 for those of what it has."""

    async def answer(request: web.Request) -> web.Response:
        asked = request.match_info["path"] or "index.html"
        if "If-None-Match" not in request.headers or asked != "index.html":
            return answer_of(INSTALLED, asked)
        return web.Response(status=304, headers={"Refresh": "0; url=/x.html"})

    async with answering(answer) as url:
        assert states(await verify(url)) == {"index.html": "added-header"}
    async with answering(_bare) as url:
        assert states(await verify(url)) == {}


async def _bare(request: web.Request) -> web.Response:
    """Say with no header at all that nothing changed, as proxies do."""
    if "If-None-Match" in request.headers:
        return web.Response(status=304)
    return answer_of(INSTALLED, request.match_info["path"] or "index.html")


async def test_whoever_has_nothing_gets_no_304() -> None:
    """A browser would show nothing, or what an attacker had it keep."""

    async def answer(request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if path == SCRIPT:
            return web.Response(status=304, headers=headers_of(SCRIPT))
        return answer_of(INSTALLED, path or "index.html")

    async with answering(answer) as url:
        assert states(await verify(url)) == {SCRIPT: "missing"}


async def test_each_answer_is_compared_also_of_a_real_relay(tmp_path: Path) -> None:
    """A relay that sends a file with another type is found by the header's name."""

    def spoil(files: WebFiles) -> None:
        file: WebFile = files.files[SCRIPT]
        headers = {**file.headers, "Content-Type": "text/html"}
        files.files = {**files.files, SCRIPT: dataclasses.replace(file, headers=headers)}

    async with served(tmp_path, spoil=spoil) as url:
        ended = await verify(url)
    assert (states(ended), ended.lines[0]["headers"]) == (
        {SCRIPT: "unprotected"},
        ["content-type"],
    )
