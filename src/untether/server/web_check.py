"""Compares the web app that a relay serves with the installed one (decisions 0135 and 0144).

Every file is fetched by each request that a browser makes for it, and the first one also under the
address that people open. What the relay lists beyond that is named and not fetched.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

import aiohttp

from untether.adapters.transport.failures import unreachable
from untether.base.errors import NetworkError, PlatformError, TrustError
from untether.base.identifiers import SECOND_MS
from untether.base.limits import CONNECT_MS, WEB_FILE_MS
from untether.server.web_answer import NOT_MODIFIED, Finding, Found, Served, compare
from untether.server.web_files import SHELL, WebFile, WebFiles
from untether.server.web_manifest import MANIFEST, MANIFEST_MAX, Manifest, hash_of, read_manifest
from untether.server.web_requests import LIST, TAG, Asking, requests_for

_PACKED_MORE: Final = 1024  # bytes that gzip may add to a file that is too small to pack
_FOUND: Final = 200


class WebCheck:
    """A comparison of one relay with one installed release; use as ``async with``."""

    def __init__(self, origin: str, installed: WebFiles) -> None:
        self._origin = origin
        self._installed = installed
        self._list = b""
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> WebCheck:
        """Open what fetches."""
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=WEB_FILE_MS / SECOND_MS, connect=CONNECT_MS / SECOND_MS
            ),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()

    async def manifest(self) -> Manifest:
        """Fetch what is listed there.

        NetworkError ``no-web-app-there``; TrustError ``bad-web-signature`` when its signature
        does not hold.
        """
        served = await self._fetch(MANIFEST, LIST, MANIFEST_MAX)
        if served is None or len(served.body) > MANIFEST_MAX:
            raise self._no_app()
        try:
            listed = read_manifest(served.body)
        except PlatformError as error:
            if error.code != "web-unsigned":
                raise self._no_app() from error
            raise TrustError(
                "bad-web-signature",
                f"The list of the web app's files at {self._origin} was not signed by its builder.",
                "Don't open it in a browser; tell the relay's owner.",
            ) from error
        self._list = served.body
        return listed

    async def findings(self, listed: Manifest) -> AsyncIterator[tuple[str, Found]]:
        """Yield every file that is not as here, with what is wrong with it."""
        for path in self._installed.manifest.files:
            found = await self._look_at(path, listed)
            if found is not None:
                yield path, found
        for path in listed.files:
            if path not in self._installed.manifest.files:
                yield path, Found(Finding.EXTRA)
        found = await self._fetch_and_compare(MANIFEST, self._list_as_a_file())
        if found is not None:
            yield MANIFEST, found

    async def _look_at(self, path: str, listed: Manifest) -> Found | None:
        file = self._installed.files[path]
        if path not in listed.files:
            return Found(Finding.MISSING)
        if listed.files[path] != self._installed.manifest.files[path]:
            return Found(Finding.DIFFERS)
        for address in ("", path) if path == SHELL else (path,):
            found = await self._fetch_and_compare(address, file)
            if found is not None:
                return found
        return None

    async def _fetch_and_compare(self, address: str, file: WebFile) -> Found | None:
        """Look at one address by all requests, until something is wrong."""
        size_max = len(file.content) + _PACKED_MORE
        for asking in requests_for(address, file, self._origin):
            found = compare(await self._fetch(address, asking, size_max), file)
            if found is not None:
                return found
        return None

    def _list_as_a_file(self) -> WebFile:
        """Return the list as it was served first: another builder signs another one."""
        tag = f'"{hash_of(self._list)[:32]}"'
        return replace(self._installed.files[MANIFEST], content=self._list, brotli=None, tag=tag)

    async def _fetch(self, path: str, asking: Asking, size_max: int) -> Served | None:
        """Return an answer up to one byte beyond its bound; None where there is no such file."""
        assert self._session is not None
        expected = {_FOUND, NOT_MODIFIED} if TAG in asking else {_FOUND}
        url = f"{self._origin}/{path}"
        try:
            async with self._session.get(url, headers=asking, allow_redirects=False) as answer:
                if answer.status not in expected:
                    return None
                headers = {
                    name.lower(): tuple(answer.headers.getall(name)) for name in answer.headers
                }
                body = await _at_most(answer.content, size_max + 1)
                return Served(answer.status, body, headers)
        except aiohttp.ClientPayloadError:
            return None  # it ended before its length: no browser takes it either
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(self._origin, _why(error)) from error

    def _no_app(self) -> NetworkError:
        return NetworkError(
            "no-web-app-there",
            f"No web app of Untether is served at {self._origin}.",
            "Check the address; a relay serves one when it was built with `make webapp`.",
        )


def _hashes(manifest: Manifest, path: str) -> tuple[str, str | None]:
    return manifest.files[path], manifest.packed.get(path)


async def _at_most(content: aiohttp.StreamReader, size: int) -> bytes:
    parts, length = [], 0
    while length < size and (part := await content.read(size - length)):
        parts.append(part)
        length += len(part)
    return b"".join(parts)


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it answers too slowly"
    return str(error) or type(error).__name__
