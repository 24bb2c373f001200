"""Compares the web app that a relay serves with the installed one (decision 0135).

Every file is fetched as a browser would get it: packed and not packed, and the first one also
under the address that people open. What the relay lists beyond that is named and not fetched.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import aiohttp

from untether.adapters.transport.failures import unreachable
from untether.base.errors import NetworkError, PlatformError, TrustError
from untether.base.identifiers import SECOND_MS
from untether.base.limits import CONNECT_MS, WEB_FILE_MS
from untether.server.web_files import SHELL, WebFile, WebFiles
from untether.server.web_headers import POLICY
from untether.server.web_manifest import MANIFEST, MANIFEST_MAX, Manifest, hash_of, read_manifest

_PACKINGS: Final = ("identity", "gzip, br")
_PACKED_MORE: Final = 1024  # bytes that gzip may add to a file that is too small to pack
_FOUND: Final = 200
_POLICY_HEADER: Final = "Content-Security-Policy"


class Finding(StrEnum):
    """How a file that is served is not the installed one."""

    DIFFERS = "differs"
    MISSING = "missing"
    EXTRA = "extra"
    UNPROTECTED = "unprotected"
    """The right bytes, but without the policy that a browser must hold them to."""


@dataclass(frozen=True)
class Served:
    """One answer: its body, no longer than it may be, how that is packed, and its policies."""

    body: bytes
    packing: str
    policies: tuple[str, ...]


class WebCheck:
    """A comparison of one relay with one installed release; use as ``async with``."""

    def __init__(self, origin: str, installed: WebFiles) -> None:
        self._origin = origin
        self._installed = installed
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
        served = await self._fetch(MANIFEST, _PACKINGS[0], MANIFEST_MAX)
        if served is None or len(served.body) > MANIFEST_MAX:
            raise self._no_app()
        try:
            return read_manifest(served.body)
        except PlatformError as error:
            if error.code != "web-unsigned":
                raise self._no_app() from error
            raise TrustError(
                "bad-web-signature",
                f"The list of the web app's files at {self._origin} was not signed by its builder.",
                "Don't open it in a browser; tell the relay's owner.",
            ) from error

    async def findings(self, listed: Manifest) -> AsyncIterator[tuple[str, Finding]]:
        """Yield every file that is not as here, with what is wrong with it."""
        for path in self._installed.manifest.files:
            finding = await self._look_at(path, listed)
            if finding is not None:
                yield path, finding
        for path in listed.files:
            if path not in self._installed.manifest.files:
                yield path, Finding.EXTRA

    async def _look_at(self, path: str, listed: Manifest) -> Finding | None:
        file = self._installed.files[path]
        if path not in listed.files:
            return Finding.MISSING
        if _hashes(listed, path) != _hashes(self._installed.manifest, path):
            return Finding.DIFFERS
        found = []
        for address in ("", path) if path == SHELL else (path,):
            for packing in _PACKINGS:
                served = await self._fetch(address, packing, len(file.content) + _PACKED_MORE)
                found.append(_compare(served, file))
        return next((one for one in found if one is not None), None)

    async def _fetch(self, path: str, packing: str, size_max: int) -> Served | None:
        """Return an answer up to one byte beyond its bound; None for any but a plain 200."""
        assert self._session is not None
        url, headers = f"{self._origin}/{path}", {"Accept-Encoding": packing}
        try:
            async with self._session.get(url, headers=headers, allow_redirects=False) as answer:
                if answer.status != _FOUND:
                    return None
                return Served(
                    await _at_most(answer.content, size_max + 1),
                    answer.headers.get("Content-Encoding", "identity").lower(),
                    tuple(answer.headers.getall(_POLICY_HEADER, ())),
                )
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


def _compare(served: Served | None, file: WebFile) -> Finding | None:
    if served is None:
        return Finding.MISSING
    if not _is_same(served, file):
        return Finding.DIFFERS
    return None if POLICY in served.policies else Finding.UNPROTECTED


def _is_same(served: Served, file: WebFile) -> bool:
    """Compare as the file is packed; a proxy may have packed it by gzip."""
    match served.packing:
        case "identity":
            return hash_of(served.body) == hash_of(file.content)
        case "br":
            return file.brotli is not None and hash_of(served.body) == hash_of(file.brotli)
        case "gzip":
            return _gzip_holds(served.body, file.content)
    return False


def _gzip_holds(body: bytes, content: bytes) -> bool:
    """Unpack no more than what is expected: a small answer may hold gigabytes."""
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        unpacked = unpacking.decompress(body, len(content) + 1)
    except zlib.error:
        return False
    return unpacking.eof and not unpacking.unused_data and unpacked == content


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
