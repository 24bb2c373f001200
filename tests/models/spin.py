"""Exhaustive search of the models in ``docs/models`` by Spin (spinroot.com)."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[2] / "docs" / "models"
TOOLS: Final = ("spin", "gcc")
MEMORY_MIB: Final = 500
DEPTH_MAX: Final = 100_000
SECONDS_MAX: Final = 60
CUT_SHORT: Final = ("Search not completed", "max search depth too small")


@dataclass(frozen=True)
class Search:
    """What one search found; ``failure`` is empty when every reachable state is sound."""

    states: int
    failure: str
    unreached: tuple[str, ...]


def missing() -> list[str]:
    """Name the programs that are needed and not here."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def models() -> list[str]:
    """Return the names of all models."""
    return sorted(path.stem for path in FOLDER.glob("*.pml"))


def mutants(model: str) -> list[str]:
    """Return the rules that a model can do without: each name that it asks the preprocessor for."""
    text = (FOLDER / f"{model}.pml").read_text()
    return sorted(set(re.findall(r"#ifn?def (\w+)", text)))


def search(model: str, mutant: str = "") -> Search:
    """Visit every state of a model, or of its mutant.

    Raises RuntimeError when a search without an error did not get everywhere.
    """
    with tempfile.TemporaryDirectory() as place:
        defined = [f"-D{mutant}"] if mutant else []
        _run(place, "spin", *defined, "-a", str(FOLDER / f"{model}.pml"))
        _run(place, "gcc", "-w", "-O1", "-DSAFETY", f"-DMEMLIM={MEMORY_MIB}", "-opan", "pan.c")
        told = _run(place, "./pan", f"-m{DEPTH_MAX}")
    if any(sign in told for sign in CUT_SHORT) and "errors: 0" in told:
        raise RuntimeError(f"the search of {model} was cut short:\n{told}")
    failure = re.search(r"^pan:\d+: (.*)$", told, re.MULTILINE)
    states = re.search(r"(\d+) states, stored", told)
    return Search(
        states=int(states[1]) if states else 0,
        failure=failure[1] if failure else "",
        unreached=tuple(re.findall(r"^\t\S+:(\d+), state \d+, \"(?!-end-)", told, re.MULTILINE)),
    )


def _run(place: str, *command: str) -> str:
    done = subprocess.run(
        command, cwd=place, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
