"""The app as the tests have it: built once for what the sources are, and where things are in it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from tests.browser.serving import ROOT

BUILD = ROOT / "build"
PREFIX = "app-of-tests-"
SOURCES = ("src/untether", "tools", "webapp/src", "webapp/public")
OWN_BUILD = ROOT / "src" / "untether" / "server" / "webapp"
FILES = ("pyproject.toml", "webapp/index.html", "webapp/package-lock.json", "webapp/vite.config.ts")


def built_app() -> Path:
    """Return the folder of the built app; processes that want it at once build it once."""
    BUILD.mkdir(exist_ok=True)
    folder = BUILD / f"{PREFIX}{_hash_of_sources()}"
    with (BUILD / f"{PREFIX}lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            for older in BUILD.glob(f"{PREFIX}*/"):
                shutil.rmtree(older, ignore_errors=True)
            build_into(folder)
    return folder


def build_into(folder: Path) -> None:
    """Build the app, quickly compressed."""
    subprocess.run(
        [sys.executable, ROOT / "tools" / "build_webapp.py", "--into", folder, "--quick"],
        check=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tools'}"},
    )


def python_folder_of(app: Path) -> Path:
    """Return the folder of the browser's Python."""
    (folder,) = app.glob("python-*")
    return folder


def _hash_of_sources() -> str:
    files = [path for source in SOURCES for path in (ROOT / source).rglob("*") if path.is_file()]
    wanted = [
        path
        for path in (*files, *(ROOT / name for name in FILES))
        if "__pycache__" not in path.parts and not path.is_relative_to(OWN_BUILD)
    ]
    hashed = sha256()
    for path in sorted(wanted):
        hashed.update(str(path.relative_to(ROOT)).encode() + sha256(path.read_bytes()).digest())
    return hashed.hexdigest()[:16]
