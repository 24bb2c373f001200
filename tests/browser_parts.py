"""What a browser gives to Python, as far as the adapters need it, for tests without one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest


class BrowserError(Exception):
    """A DOMException; its name says what happened."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: the browser's own words")
        self.name = name


class Proxy:
    """A Python function in the hands of JavaScript, until it is destroyed."""

    def __init__(self, function: Callable[[Any], object]) -> None:
        self._function = function
        self.is_destroyed = False

    def __call__(self, event: Any) -> object:
        """Call the function; an error once it is destroyed, as in a browser."""
        assert not self.is_destroyed
        return self._function(event)

    def destroy(self) -> None:
        """Let go of the function."""
        assert not self.is_destroyed
        self.is_destroyed = True


class JsBytes:
    """A buffer of JavaScript; ``copies`` counts how often Python took its bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.byteLength = len(content)
        self.copies = 0

    def to_bytes(self) -> bytes:
        """Copy the bytes into Python."""
        self.copies += 1
        return self._content


def give(patch: pytest.MonkeyPatch, sockets: Callable[[str], object] | None = None) -> None:
    """Let ``pyodide.ffi`` and ``js`` be imported."""
    ffi = SimpleNamespace(to_js=JsBytes, create_proxy=Proxy, JsException=BrowserError)
    patch.setitem(sys.modules, "pyodide", SimpleNamespace(ffi=ffi))
    patch.setitem(sys.modules, "pyodide.ffi", ffi)
    patch.setitem(sys.modules, "js", SimpleNamespace(WebSocket=SimpleNamespace(new=sockets)))


class MountedFolder:
    """A folder of this disk as the worker's JavaScript would mount it, unsealed."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.is_recovered = False
        self.closings = 0
        self.full = False
        self._last: list[bytes] = []
        self._flushes = 0

    def recovered(self) -> None:
        """Take damage for an error from now on."""
        self.is_recovered = True

    def flushes(self) -> int:
        """Count how often its files were seen to have changed."""
        files = sorted(Path(self.path).glob("device.db*"))
        now = [file.read_bytes() for file in files]
        self._flushes += now != self._last
        self._last = now
        return self._flushes

    def is_full(self) -> bool:
        """Say whether there was no room for the last write."""
        return self.full

    def close(self) -> None:
        """Let go of the files."""
        self.closings += 1
