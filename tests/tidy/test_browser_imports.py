"""What a browser can't have is never needed where the engine runs in one."""

import subprocess
import sys

BLOCKED = ("aiohttp", "apsw", "keyring", "uvloop", "cryptography", "nacl")

PACKAGES = ("base", "wire", "protocol", "device", "client")

PROGRAM = f"""
import importlib, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ImportError("blocked: " + name)

sys.meta_path.insert(0, Blocked())
count = 0
for package in sys.argv[1:]:
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(module.__path__, package + "."):
        importlib.import_module(found.name)
        count += 1
print(count)
"""


def import_all(*packages: str) -> subprocess.CompletedProcess[str]:
    """Import every module of these packages in a Python that lacks the native libraries."""
    names = [f"untether.{package}" for package in packages]
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *names], check=False, capture_output=True, text=True
    )


def test_engine_and_client_import_without_native_libraries() -> None:
    """Every module of base, wire, protocol, device and client imports with these blocked."""
    run = import_all(*PACKAGES)

    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 40


def test_the_block_is_real() -> None:
    """The twin: a module that does need a native library fails under the same block."""
    run = import_all("crypto")

    assert run.returncode != 0
    assert "blocked: " in run.stderr
