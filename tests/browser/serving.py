"""Building a page and serving it to a real browser, under the policy that goes with the app."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from check_webapp import REQUIRED
from nodejs import found_node
from untether.server.web_headers import POLICY

ROOT = Path(__file__).parents[2]
WEBAPP = ROOT / "webapp"
CHROMIUM = os.environ.get("UNTETHER_CHROMIUM") or shutil.which("chromium")


class PolicedFiles(SimpleHTTPRequestHandler):
    """Files of a folder under the policy."""

    wbufsize = -1  # written at once: a page of many files is slow otherwise
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}  # noqa: RUF012

    def end_headers(self) -> None:
        """Send the policy with each file."""
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine; yields its address."""
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(PolicedFiles, directory=str(folder))
    ) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def needs_a_browser() -> None:
    """Skip where no page can be built and opened, and say why."""
    pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        _missing("no Chromium on this machine")
    needs_node()


def needs_node() -> str:
    """Skip where nothing of the web app can be built, and say why; else return ``node``."""
    node = found_node()
    if node is None:
        _missing("no fitting Node.js on this machine")
    if not (WEBAPP / "node_modules" / "vite").is_dir():
        _missing("the packages of webapp/ are not installed (npm ci)")
    return str(node)


def _missing(what: str) -> None:
    """Skip; fail where all tests must run."""
    if os.environ.get(REQUIRED):
        pytest.fail(f"{what}, and {REQUIRED} is set")
    pytest.skip(what)


def built(config: str, folder: Path) -> Path:
    """Build the page that a configuration of Vite names into a folder; returns the folder."""
    done = subprocess.run(
        [needs_node(), "node_modules/vite/bin/vite.js", "build", "--config", config],
        cwd=WEBAPP,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "UNTETHER_PAGE_OUT": str(folder)},
    )
    assert done.returncode == 0, done.stderr
    return folder
