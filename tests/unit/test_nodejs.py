"""Which Node.js builds the web app."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

import nodejs

LOCK = json.loads(nodejs.PACKAGE.with_name("package-lock.json").read_text())["packages"]
VERSIONS = list(product(range(18, 28), range(25), (0, 9)))


def node_that_says(folder: Path, version: str) -> Path:
    """Return a ``node`` that only tells its version."""
    node = folder / "node"
    node.write_text(f"#!/bin/sh\necho {version}\n")
    node.chmod(0o755)
    return node


@pytest.mark.parametrize(
    ("version", "is_taken"),
    [
        ((1, 1, 9), False),
        ((1, 2, 0), True),
        ((1, 9, 0), True),
        ((2, 0, 0), False),
        ((2, 0, 1), True),
        ((3, 0, 0), True),
    ],
)
def test_a_range_is_read_as_npm_reads_it(version: nodejs.Version, *, is_taken: bool) -> None:
    """A caret keeps to one major version, and alternatives may leave gaps."""
    assert nodejs.takes("^1.2 || >=2.0.1", version) == is_taken


def test_a_range_that_cannot_be_read_is_refused() -> None:
    """Better no build than one by the wrong Node.js."""
    with pytest.raises(SystemExit):
        nodejs.takes("20.x", (20, 19, 0))


def test_each_package_takes_what_is_taken_here() -> None:
    """A version that a package refuses is not found half-way through a build."""
    taken = [version for version in VERSIONS if nodejs.takes(nodejs.wanted_versions(), version)]
    assert taken
    assert LOCK[""]["engines"]["node"] == nodejs.wanted_versions()
    wants = {name: one["engines"]["node"] for name, one in LOCK.items() if "engines" in one}
    assert "node_modules/vite" in wants
    refused = {
        (name, version)
        for name, wanted in wants.items()
        for version in taken
        if not nodejs.takes(wanted, version)
    }
    assert refused == set()


@pytest.mark.parametrize(
    ("said", "is_found"),
    [
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v21.7.3", False),
        ("v22.12.0", False),
        ("v22.13.0", True),
        ("v24.1.0", True),
        ("nothing", False),
    ],
)
def test_an_unfitting_node_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, *, is_found: bool
) -> None:
    """Odd and early versions are there on many machines, and Vite fails with them."""
    node = node_that_says(tmp_path, said)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(nodejs, "_of_wheel", lambda: None)
    assert nodejs.found_node() == (str(node) if is_found else None)
