"""A relay looks at its database before it serves it (spec 08, "Storage")."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from untether.adapters.storage.relay_sqlite_check import check_whole
from untether.base.errors import PlatformError
from untether.server.config import Config
from untether.server.driver import serving
from untether.server.event_log import Log

DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut in half": (lambda kept: kept[: len(kept) // 2], "of its"),
    "a page is missing": (lambda kept: kept[:-4096], "of its"),
    "pages of zeros": (lambda kept: kept[:8192] + bytes(8192) + kept[16384:], "damaged"),
    "a header of another file": (lambda kept: b"not a database!!" + kept[16:], "damaged"),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_relay_does_not_serve_a_damaged_database(tmp_path: Path, damage: str) -> None:
    """It says what is wrong and what to do, and changes no byte of what may be the last copy."""
    config = Config(port=0, data=str(tmp_path))
    async with serving(config, Log()):
        pass
    database = tmp_path / "relay.sqlite3"
    kept = database.read_bytes()
    spoil, told = DAMAGES[damage]
    database.write_bytes(spoil(kept))
    before = contents(tmp_path)
    for _ in range(2):
        with pytest.raises(PlatformError) as refused:
            async with serving(config, Log()):
                pass
        assert refused.value.code == "relay-database-damaged"
        assert told in refused.value.message
        assert "copy" in refused.value.hint
        assert contents(tmp_path) == before
    database.write_bytes(kept)
    async with serving(config, Log()):
        pass


async def test_a_damaged_database_with_a_log(tmp_path: Path) -> None:
    """A relay that was killed leaves a log: it is read along, and kept when it is of no use."""
    config, database = Config(port=0, data=str(tmp_path)), tmp_path / "relay.sqlite3"
    async with serving(config, Log()):
        killed = contents(tmp_path)
    assert killed["relay.sqlite3-wal"]
    for name, left in killed.items():
        (tmp_path / name).write_bytes(left)
    check_whole(database)
    async with serving(config, Log()):
        pass
    whole, log = database.read_bytes(), tmp_path / "relay.sqlite3-wal"
    database.write_bytes(whole[: len(whole) // 2])
    log.write_bytes(b"no log at all")
    with pytest.raises(PlatformError) as refused:
        check_whole(database)
    assert refused.value.code == "relay-database-damaged"
    assert log.read_bytes() == b"no log at all"
    assert database.read_bytes() == whole[: len(whole) // 2]


def contents(directory: Path) -> dict[str, bytes]:
    """Return every file of a directory."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}
