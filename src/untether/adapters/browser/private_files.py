"""The files of a device in a browser, over the origin's private file system (spec 09).

The worker's JavaScript opens them and seals the pages; see ``webapp/src/engine``. Its failures
become errors here that say what a person can do.
"""

from __future__ import annotations

from collections.abc import Awaitable
from importlib import import_module
from typing import Any, Final, TypeVar

from untether.adapters.browser.sealed_database import SealedDatabase
from untether.adapters.storage.sqlite_database import SQLITE_FULL, platform_error
from untether.base.errors import PlatformError
from untether.base.secret_bytes import SecretBytes

Awaited = TypeVar("Awaited")

_SQLITE_IOERR: Final = 10


class PrivateFiles:
    """Implements :class:`untether.browser.profile.ProfileFiles` on what the worker offers."""

    def __init__(self, worker_files: Any) -> None:
        ffi: Any = import_module("pyodide.ffi")
        self._files = worker_files
        self._to_js, self._failure = ffi.to_js, ffi.JsException

    async def read_profile(self) -> bytes | None:
        """Return what was written, or None when there is no profile."""
        found = await self._called(self._files.read_profile())
        return None if found is None else found.to_bytes()

    async def write_profile(self, content: bytes) -> None:
        """Write the profile, whole or not at all."""
        await self._called(self._files.write_profile(self._to_js(content)))

    async def open_database(self, key: SecretBytes) -> SealedDatabase:
        """Open the sealed database, upgraded; PlatformError when it can't be had."""
        folder = await self._called(self._files.open_database(self._to_js(bytes(key))))
        return SealedDatabase.open_in(folder)

    async def erase(self) -> None:
        """Delete the database and the profile, the key to it first."""
        await self._called(self._files.erase())

    async def _called(self, promise: Awaitable[Awaited]) -> Awaited:
        try:
            return await promise
        except self._failure as error:
            raise _translated(str(error.name), str(error)) from error


def _translated(name: str, message: str) -> PlatformError:
    if name == "QuotaExceededError":
        return platform_error(SQLITE_FULL, message, encrypted=False)
    if name == "NoModificationAllowedError":
        return PlatformError(
            "database-locked",
            "Another window of this browser keeps the messages open.",
            "Close the other windows of this app, or the whole browser, then load it again.",
        )
    if name in ("SecurityError", "TypeError", "NotAllowedError"):
        return PlatformError(
            "no-private-files",
            "This browser offers no private files to web pages here.",
            "Leave the private window, or use another browser.",
        )
    return platform_error(_SQLITE_IOERR, message, encrypted=False)
