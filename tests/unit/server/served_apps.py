"""The web app of a relay, and of servers that no relay of ours is, for ``verify-web``."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from tests.commands.command_line import Ended, in_process

from untether.base.secret_bytes import SecretBytes
from untether.server import web_files
from untether.server.app import WEB, create_app
from untether.server.config import Config
from untether.server.driver import serving
from untether.server.event_log import Log
from untether.server.web_files import WebFiles
from untether.server.web_manifest import MANIFEST, sign_manifest

OWN_KEY, OTHER_KEY = SecretBytes(b"\x07" * 32), SecretBytes(b"\x08" * 32)
SCRIPT = "assets/index-1a2b.js"
FILES = {
    "index.html": b"<!doctype html><script src=/assets/index-1a2b.js></script>",
    SCRIPT: b"let app;" * 100,
    "python-1a2b/pyodide.asm.wasm": b"\0asm",
}
PACKED = b"what Brotli makes of it"

Answer = Callable[[web.Request], Awaitable[web.Response]]


def write_release(
    folder: Path,
    files: Mapping[str, bytes] = FILES,
    *,
    version: str = "1.2.3",
    key: SecretBytes = OWN_KEY,
    packed: bytes = PACKED,
) -> Path:
    """Write a release, its script also packed, and return its folder."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / f"{SCRIPT}.br").write_bytes(packed)
    (folder / MANIFEST).write_bytes(sign_manifest(files, {SCRIPT: packed}, version, key))
    return folder


@asynccontextmanager
async def served(
    tmp_path: Path, folder: Path | None = None, spoil: Callable[[WebFiles], None] | None = None
) -> AsyncIterator[str]:
    """Serve by a real relay; ``spoil`` changes what it holds in memory, past its own checks."""
    config = Config(port=0, data=str(tmp_path), web_app=str(folder or ""))
    with pytest.MonkeyPatch.context() as patch:

        def spoilt(*given: object) -> web.Application:
            app = create_app(*given)  # type: ignore[arg-type]
            if spoil is not None:
                spoil(app[WEB])
            return app

        patch.setattr("untether.server.driver.create_app", spoilt)
        async with serving(config, Log(io.StringIO())) as relay:
            yield relay.address


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    """Serve what no relay of ours would."""
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def verify(url: str) -> Ended:
    """Run the command beside the server."""
    return await asyncio.to_thread(in_process, "verify-web", url, "-o", "json")


def states(ended: Ended) -> dict[str, str]:
    """Return what was found, by file."""
    return {line["file"]: line["state"] for line in ended.lines if "file" in line}


def answer_of(files: Mapping[str, bytes], path: str) -> web.Response:
    """Answer like a server of these files, with the headers of the installed ones."""
    if path not in files:
        return web.Response(status=404)
    return web.Response(body=files[path], headers=headers_of(path or "index.html"))


def headers_of(path: str) -> Mapping[str, str]:
    """Return the headers of an installed file."""
    installed = web_files.load()
    assert installed is not None
    return installed.files[path].headers


INSTALLED = {**FILES, MANIFEST: sign_manifest(FILES, {SCRIPT: PACKED}, "1.2.3", OWN_KEY)}
