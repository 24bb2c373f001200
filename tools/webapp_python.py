"""Packs the browser's Python: what the app needs of it, compiled (decision 0130)."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_STORED, ZipFile, ZipInfo

TOOLS = Path(__file__).parent
ROOT = TOOLS.parent
EXERCISE, COMPILE = TOOLS / "webapp_python_exercise.py", TOOLS / "webapp_python_inside.py"
MODULES = ROOT / "webapp" / "node_modules"
WHEELS = ROOT / "build" / "browser-wheels"
PYODIDE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
PLATFORM = (
    "--platform=pyemscripten_2026_0_wasm32",
    "--python-version=314",
    "--implementation=cp",
    "--abi=cp314",
)
"""The Python of npm's package ``pyodide``, as PyPI names it (PEP 783)."""

MSGSPEC = "msgspec==0.22.0"
TYPING_EXTENSIONS = "typing_extensions==4.16.0"
SHA256 = {
    MSGSPEC: "a66b1766311e42371e509c996c3933b161c7ae0eabdf361af5316dec197e1022",
    TYPING_EXTENSIONS: "481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8",
}
"""The wheels that are fetched: what runs in the browser, and what carries Python's licence."""
NOT_IN_BROWSERS = ("blocking.py", "native.py", "cli", "relay", "server")
LOCK = """{"info":{"abi_version":"2026_0","arch":"wasm32","platform":"emscripten_5_0_3",\
"python":"3.14.2"},"packages":{}}"""
"""Pyodide's list of packages that it could load: none."""


def pack(node: str, into: Path) -> None:
    """Write Pyodide's files, the trimmed library and our packages into a folder."""
    for name in PYODIDE_FILES:
        shutil.copyfile(MODULES / "pyodide" / name, into / name)
    (into / "pyodide-lock.json").write_text(LOCK)
    with TemporaryDirectory() as scratch:
        source, packed = Path(scratch, "source"), Path(scratch, "packed")
        source.mkdir()
        packed.mkdir()
        _gather(source)
        run_inside(node, MODULES / "pyodide", (EXERCISE, COMPILE), source, packed)
        _zip(packed / "stdlib", into / "python_stdlib.zip")
        _zip(packed / "packages", into / "packages.zip")
        run_inside(node, into, (EXERCISE,), packed / "packages")


def run_inside(node: str, folder: Path, scripts: tuple[Path, ...], *mounted: Path) -> None:
    """Run scripts in the browser's Python under Node.js; SystemExit with what they said.

    ``mounted`` are the folders ``/packages`` and ``/packed``.
    """
    mounts = [
        f"{path}={host}" for path, host in zip(("/packages", "/packed"), mounted, strict=False)
    ]
    joined = ",".join(map(str, scripts))
    done = subprocess.run(
        [node, TOOLS / "run_browser_python.mjs", joined, MODULES, folder, *mounts],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"The browser's Python failed:\n{done.stdout[-4000:]}")


def browsers_wheel(requirement: str) -> Path:
    """Return a wheel of ``SHA256`` for the browser, fetched once for this working copy."""
    pattern = f"{requirement.replace('==', '-')}-*.whl"
    if not (found := sorted(WHEELS.glob(pattern))):
        _fetch(requirement)
        found = sorted(WHEELS.glob(pattern))
    if hashlib.sha256(found[0].read_bytes()).hexdigest() != SHA256[requirement]:
        raise SystemExit(f"{found[0]} is not the wheel that is expected; delete it.")
    return found[0]


def _fetch(requirement: str) -> None:
    WHEELS.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=WHEELS) as scratch:  # whole at once: another build may look
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *PLATFORM]
        command += ["--only-binary=:all:", "--dest", scratch, requirement]
        if subprocess.run(command, check=False).returncode != 0:
            raise SystemExit(f"{requirement} for browsers can't be fetched from the package index.")
        for wheel in Path(scratch).glob("*.whl"):
            wheel.replace(WHEELS / wheel.name)


def _gather(source: Path) -> None:
    """Put our packages and msgspec's beside each other, as they are installed elsewhere."""
    for path in sorted((ROOT / "src" / "untether").rglob("*")):
        name = path.relative_to(ROOT / "src")
        if path.suffix in (".py", ".sql") and name.parts[1] not in NOT_IN_BROWSERS:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, source / name)
    with ZipFile(browsers_wheel(MSGSPEC)) as wheel:
        for member in wheel.namelist():
            if member.startswith("msgspec/") and not member.endswith(".pyi"):
                wheel.extract(member, source)


def _zip(folder: Path, into: Path) -> None:
    """Store files in a zip that depends on nothing but their names and contents."""
    with ZipFile(into, "w", ZIP_STORED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.writestr(ZipInfo(str(path.relative_to(folder))), path.read_bytes())
