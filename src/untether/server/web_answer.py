"""Compares one answer with an installed file: its body and all of its headers (decision 0144).

A header can lead a browser to other code as well as a body can. So those of the installed file
must be there unchanged, and beside them only what servers and proxies add without effect on what
is run.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from untether.server.web_files import WebFile
from untether.server.web_manifest import hash_of

NOT_MODIFIED: Final = 304
_PRINTABLE: Final = r"[\x20-\x7e]*"
"""Some browsers end a header at a character where this program goes on reading it."""
_ALTERNATIVE: Final = r'[\w%-]+=":\d+"( *; *\w+=\d+)*'
_HARMLESS: Final[Mapping[str, str]] = {
    "age": _PRINTABLE,
    "date": _PRINTABLE,
    "server": _PRINTABLE,
    "via": _PRINTABLE,  # who answered and when, for people
    "connection": _PRINTABLE,
    "content-encoding": _PRINTABLE,
    "content-length": _PRINTABLE,
    "keep-alive": _PRINTABLE,
    "transfer-encoding": _PRINTABLE,  # how the body travels, which is compared
    "etag": _PRINTABLE,
    "vary": _PRINTABLE,  # whether what is kept holds; a proxy that packs changes both
    "strict-transport-security": _PRINTABLE,  # it only takes plain HTTP away
    "alt-svc": rf"clear|{_ALTERNATIVE}( *, *{_ALTERNATIVE})*",  # HTTP/3, and no other host
}
_OFTEN_REPEATED: Final = frozenset({"content-encoding", "vary", "via"})


class Finding(StrEnum):
    """How a file that is served is not the installed one."""

    DIFFERS = "differs"
    MISSING = "missing"
    EXTRA = "extra"
    UNPROTECTED = "unprotected"
    """The right bytes, but without a header that the installed one has, or with another value."""
    ADDED_HEADER = "added-header"
    """The right bytes, and a header that may make a browser do something else."""


@dataclass(frozen=True)
class Served:
    """One answer: its body, no longer than it may be, and its headers by name in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Found:
    """What is wrong with a file, and with which of its headers."""

    finding: Finding
    headers: tuple[str, ...] = ()


def compare(served: Served | None, file: WebFile) -> Found | None:
    """Return what is wrong with an answer, None when it is the file."""
    if served is None:
        return Found(Finding.MISSING)
    if served.status != NOT_MODIFIED and not _is_same(served, file):
        return Found(Finding.DIFFERS)
    if wrong := tuple(_wrong_headers(served, file)):
        return Found(Finding.UNPROTECTED, wrong)
    if added := tuple(_added_headers(served, file)):
        return Found(Finding.ADDED_HEADER, added)
    return None


def _wrong_headers(served: Served, file: WebFile) -> Iterator[str]:
    """Yield what is not as installed; a 304 may leave out what the browser has already."""
    for name, value in _required(file).items():
        values = served.headers.get(name, ())
        may_be_absent = served.status == NOT_MODIFIED and not values
        if values != (value,) and not may_be_absent:
            yield name


def _added_headers(served: Served, file: WebFile) -> Iterator[str]:
    required = _required(file)
    for name, values in served.headers.items():
        if name not in required and not _is_harmless(name, values):
            yield name


def _required(file: WebFile) -> Mapping[str, str]:
    named = {name.lower(): value for name, value in file.headers.items()}
    return {name: value for name, value in named.items() if name not in _HARMLESS}


def _is_harmless(name: str, values: tuple[str, ...]) -> bool:
    if name not in _HARMLESS or (len(values) > 1 and name not in _OFTEN_REPEATED):
        return False
    return all(re.fullmatch(_HARMLESS[name], value) for value in values)


def _is_same(served: Served, file: WebFile) -> bool:
    """Compare as the file is packed; a proxy may have packed it by gzip."""
    match ", ".join(served.headers.get("content-encoding", ("identity",))).lower():
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
