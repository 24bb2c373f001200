"""Builds the web app: ``python tools/build_webapp.py`` writes src/untether/server/webapp.

Vite builds the screens and the worker, Python is packed beside them, everything is compressed and
listed with its hash in a manifest that the builder's key signs (decision 0130).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

import brotli

from nodejs import usable_node
from untether import __version__
from untether.base.secret_bytes import SecretBytes
from untether.server.web_files import BROTLI, FOLDER
from untether.server.web_manifest import MANIFEST, sign_manifest
from webapp_licenses import LICENSES, bundled_packages, licenses
from webapp_python import pack

ROOT = Path(__file__).parents[1]
WEBAPP = ROOT / "webapp"
KEY_VARIABLE = "UNTETHER_RELEASE_KEY"
OWN_KEY = ROOT / "build" / "release-key"
COMPRESSED = ROOT / "build" / "brotli"
SERVICE_WORKER = "service_worker.js"
FILES_IN_WORKER = re.compile(r"""JSON\.parse\((["'`]).*?\1\)""")
BEST, QUICK = 11, 4  # qualities of Brotli
TRANSFER_MAX = 4_800_000  # bytes at the first visit
SEED_LENGTH = 32


def build(into: Path, quality: int) -> dict[str, tuple[int, int]]:
    """Build the app in the place of the one that is there; return the sizes of its files."""
    node = usable_node()
    _install_packages()
    into.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(mkdtemp(dir=into.parent, prefix=".webapp-"))
    try:
        python = fresh / "python"
        python.mkdir()
        pack(node, python)
        python = python.rename(fresh / f"python-{_hash_of_all(python)}")
        _build_screens(node, fresh, f"/{python.name}/")
        (fresh / LICENSES).write_text(licenses(bundled_packages(fresh)))
        name_files(fresh)
        sizes = _compress(fresh, quality)
        (fresh / MANIFEST).write_bytes(_manifest(fresh, sizes))
        fresh.chmod(0o755)
        shutil.rmtree(into, ignore_errors=True)
        fresh.rename(into)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return sizes


def release_key() -> SecretBytes:
    """Return the builder's key: the named file's, else one of this working copy."""
    named = os.environ.get(KEY_VARIABLE)
    path = Path(named) if named else OWN_KEY
    if not named and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SEED_LENGTH))
    seed = path.read_bytes()
    if len(seed) != SEED_LENGTH:
        raise SystemExit(f"{path} is no release key: it must have {SEED_LENGTH} bytes.")
    return SecretBytes(seed)


def _install_packages() -> None:
    if not (WEBAPP / "node_modules" / "vite").is_dir():
        npm = [sys.executable, str(ROOT / "tools" / "nodejs.py")]
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=WEBAPP, check=True)


def _build_screens(node: str, into: Path, python_folder: str) -> None:
    """Build the screens, with maps beside them that name what they were made from."""
    vite = WEBAPP / "node_modules" / "vite" / "bin" / "vite.js"
    options = ["--logLevel", "warn", "--outDir", str(into), "--emptyOutDir", "false"]
    done = subprocess.run(
        [node, vite, "build", *options, "--sourcemap", "hidden"],
        cwd=WEBAPP,
        check=False,
        env={**os.environ, "UNTETHER_PYTHON_FOLDER": python_folder},
    )
    if done.returncode != 0:
        raise SystemExit("Vite could not build the screens; it says why above.")


def name_files(folder: Path) -> None:
    """Write the hash of every other file into the service worker.

    It keeps these files only; and a browser takes a new release when these bytes have changed.
    """
    worker = folder / SERVICE_WORKER
    others = [path for path in _files(folder) if path != worker]
    hashes = {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in others
    }
    script, named = FILES_IN_WORKER.subn(
        f"JSON.parse('{json.dumps(hashes, separators=(',', ':'))}')", worker.read_text()
    )
    if named != 1:
        raise SystemExit(f"{SERVICE_WORKER} does not have one place for the files of a release.")
    worker.write_text(script)


def _compress(folder: Path, quality: int) -> dict[str, tuple[int, int]]:
    """Write a compressed file beside each that becomes smaller; return both sizes by path."""
    sizes = {}
    for path in list(_files(folder)):
        content = path.read_bytes()
        compressed = _compressed(content, quality)
        if len(compressed) < len(content):
            path.with_name(f"{path.name}{BROTLI}").write_bytes(compressed)
        sizes[str(path.relative_to(folder))] = (len(content), min(len(compressed), len(content)))
    return sizes


def _compressed(content: bytes, quality: int) -> bytes:
    """Compress, or return what came of it before: the largest file takes half a minute."""
    kept = COMPRESSED / f"{sha256(content).hexdigest()}-{quality}"
    if not kept.exists():
        COMPRESSED.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_name(f"{kept.name}.{os.getpid()}")  # another build may run
        unfinished.write_bytes(brotli.compress(content, quality=quality))
        unfinished.rename(kept)
    return kept.read_bytes()


def _manifest(folder: Path, paths: Iterable[str]) -> bytes:
    files = {path: (folder / path).read_bytes() for path in paths}
    beside = {path: folder / f"{path}{BROTLI}" for path in paths}
    packed = {path: one.read_bytes() for path, one in beside.items() if one.exists()}
    return sign_manifest(files, packed, __version__, release_key())


def _hash_of_all(folder: Path) -> str:
    parts = (path.name.encode() + sha256(path.read_bytes()).digest() for path in _files(folder))
    return sha256(b"".join(parts)).hexdigest()[:10]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def main() -> int:
    """Build, and say how large everything is."""
    parser = argparse.ArgumentParser(description="Build the web app.")
    parser.add_argument("--into", type=Path, default=FOLDER, help="where to (the release's own)")
    parser.add_argument("--quick", action="store_true", help="compress less, e.g. for tests")
    arguments = parser.parse_args()
    sizes = build(arguments.into.resolve(), QUICK if arguments.quick else BEST)
    for path, (size, compressed) in sorted(sizes.items(), key=lambda one: -one[1][1]):
        print(f"{compressed:>10,} {size:>12,}  {path}")
    transferred = sum(compressed for _, compressed in sizes.values())
    print(f"{transferred:>10,}  bytes compressed in all")
    if transferred > TRANSFER_MAX and not arguments.quick:
        raise SystemExit(f"More than {TRANSFER_MAX:,} bytes: people on slow lines wait too long.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
