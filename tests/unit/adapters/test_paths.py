"""Directories that are made are there after a power cut."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from untether.adapters.paths import make_private


def test_every_new_directory_is_synced_where_its_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each parent that was missing, and the one above them; an existing directory needs nothing."""
    synced = []

    def sync(descriptor: int) -> None:
        found = os.fstat(descriptor).st_ino
        synced.append(next(one for one in places if one.stat().st_ino == found))

    places = [tmp_path, tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"]
    monkeypatch.setattr(os, "fsync", sync)
    make_private(places[-1])
    assert synced == places[:-1]
    assert places[-1].stat().st_mode & 0o777 == 0o700
    make_private(places[-1])
    assert len(synced) == 3
