"""The built web app, served from memory (docs/operating.md, "The web app").

It lies in ``webapp/`` beside this module, put there by ``make webapp`` or by the wheel. All of it,
packed and not packed, is checked against its manifest before anything is served.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from untether.base.errors import PlatformError
from untether.server.web_headers import HEADERS
from untether.server.web_manifest import MANIFEST, Manifest, hash_of, read_manifest

FOLDER: Final = Path(__file__).parent / "webapp"
SHELL: Final = "index.html"
BROTLI: Final = ".br"
"""How the name of a packed file ends."""
_HASHED: Final = ("assets/", "python-")
"""What is named by its content never changes."""
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class WebFile:
    """One file: as it is, and compressed if that is smaller."""

    content: bytes
    brotli: bytes | None
    headers: Mapping[str, str]
    tag: str


class WebFiles:
    """A checked release of the app: its manifest, and the files by path with the manifest."""

    def __init__(self, manifest: Manifest, files: Mapping[str, WebFile]) -> None:
        self.manifest = manifest
        self.files = files

    def answer(self, request: web.Request) -> web.Response:
        """Serve one file; everything unknown is 404."""
        path = request.match_info.get("path", "") or SHELL
        file = self.files.get(path)
        if file is None:
            raise web.HTTPNotFound(text="There is no such page.\n", headers=HEADERS)
        if file.tag in (f'"{known.value}"' for known in request.if_none_match or ()):
            return web.Response(status=304, headers=file.headers)
        if file.brotli is not None and "br" in _accepted(request):
            headers = {**file.headers, "Content-Encoding": "br"}
            return web.Response(body=file.brotli, headers=headers)
        return web.Response(body=file.content, headers=file.headers)


def load(named: Path | None = None) -> WebFiles | None:
    """Return the app in a folder, or this release's own, or None where that was not built.

    Raises PlatformError ``web-damaged`` or ``web-unsigned`` for one that is not as it was built.
    """
    folder = named or FOLDER
    if not (folder / MANIFEST).exists():
        if named is not None:
            raise _damaged(MANIFEST)
        return None
    listed = (folder / MANIFEST).read_bytes()
    manifest = read_manifest(listed)
    files = {path: _load(folder, path, manifest) for path in manifest.files}
    files[MANIFEST] = _file(MANIFEST, listed, None, hash_of(listed))
    return WebFiles(manifest, files)


def _load(folder: Path, path: str, manifest: Manifest) -> WebFile:
    expected, packed = manifest.files[path], manifest.packed.get(path)
    content = _checked(folder, path, expected)
    brotli = None if packed is None else _checked(folder, f"{path}{BROTLI}", packed)
    return _file(path, content, brotli, expected)


def _checked(folder: Path, path: str, expected: str) -> bytes:
    try:
        content = (folder / path).read_bytes()
    except OSError as error:
        raise _damaged(path) from error
    if hash_of(content) != expected:
        raise _damaged(path)
    return content


def _file(path: str, content: bytes, brotli: bytes | None, name: str) -> WebFile:
    tag = f'"{name[:32]}"'
    kind = _TYPES.get(Path(path).suffix) or mimetypes.guess_type(path)[0]
    headers = {
        **HEADERS,
        "Content-Type": kind or "application/octet-stream",
        "Cache-Control": _FOR_EVER if path.startswith(_HASHED) else "no-cache",
        "ETag": tag,
        "Vary": "Accept-Encoding",
    }
    return WebFile(content, brotli, headers, tag)


def _accepted(request: web.Request) -> list[str]:
    codings = request.headers.get("Accept-Encoding", "").split(",")
    return [
        one.split(";")[0].strip() for one in codings if not one.replace(" ", "").endswith("q=0")
    ]


def _damaged(path: str) -> PlatformError:
    return PlatformError(
        "web-damaged",
        f"The file {path} of the web app is not as it was built.",
        "Build it again with `make webapp`, or install the release again.",
    )
