"""The browser's files: each failure has a code, and a disk that forgets is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.browser_parts import BrowserError, JsBytes, MountedFolder, give

from untether.adapters.browser.private_files import PrivateFiles
from untether.adapters.browser.sealed_database import SealedDatabase
from untether.base.errors import PlatformError
from untether.base.secret_bytes import SecretBytes

KEY = SecretBytes(bytes(range(32)))
CALLS: dict[str, Callable[[PrivateFiles], Any]] = {
    "read_profile": lambda files: files.read_profile(),
    "write_profile": lambda files: files.write_profile(b"content"),
    "open_database": lambda files: files.open_database(KEY),
    "erase": lambda files: files.erase(),
}


class WorkerFiles:
    """The files of the worker: one profile and one folder, or the failure that there is."""

    def __init__(self, folder: MountedFolder, fails: str | None = None) -> None:
        self.profile: bytes | None = None
        self.keys: list[bytes] = []
        self._folder = folder
        self._fails = fails

    async def read_profile(self) -> JsBytes | None:
        self._check()
        return None if self.profile is None else JsBytes(self.profile)

    async def write_profile(self, content: JsBytes) -> None:
        self._check()
        self.profile = content.to_bytes()

    async def open_database(self, key: JsBytes) -> MountedFolder:
        self._check()
        self.keys.append(key.to_bytes())
        return self._folder

    async def erase(self) -> None:
        self._check()
        self.profile = None

    def _check(self) -> None:
        if self._fails is not None:
            raise BrowserError(self._fails)


@pytest.fixture(autouse=True)
def _browser(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> MountedFolder:
    """A folder that keeps what is written."""
    return MountedFolder(tmp_path)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("QuotaExceededError", "disk-full"),
        ("NoModificationAllowedError", "database-locked"),
        ("SecurityError", "no-private-files"),
        ("TypeError", "no-private-files"),
        ("NotAllowedError", "no-private-files"),
        ("UnknownError", "io-error"),
    ],
)
async def test_each_failure_of_the_browser_has_a_code(
    folder: MountedFolder, call: str, name: str, code: str
) -> None:
    """Whatever was asked for: what happened, and what a person can do."""
    with pytest.raises(PlatformError) as failed:
        await CALLS[call](PrivateFiles(WorkerFiles(folder, fails=name)))
    assert failed.value.code == code
    assert failed.value.hint


async def test_a_profile_and_a_database_are_kept(folder: MountedFolder) -> None:
    """What is written is read; the database is opened under the key that was given."""
    worker = WorkerFiles(folder)
    files = PrivateFiles(worker)
    assert await files.read_profile() is None
    await files.write_profile(b"content")
    assert await files.read_profile() == b"content"
    database = await files.open_database(KEY)
    assert worker.keys == [bytes(KEY)]
    assert database.rows("SELECT count(*) FROM messages") == [(0,)]
    assert folder.is_recovered
    database.close()
    await files.erase()
    assert await files.read_profile() is None


class ForgetfulFolder(MountedFolder):
    """Says that everything is written, and flushes nothing."""

    def flushes(self) -> int:
        return 1


def test_a_folder_that_never_flushes_is_refused(tmp_path: Path) -> None:
    """Messages would be acknowledged that a power cut takes; the folder is let go of."""
    folder = ForgetfulFolder(tmp_path)
    with pytest.raises(PlatformError) as refused:
        SealedDatabase.open_in(folder)
    assert refused.value.code == "not-durable"
    assert folder.closings == 1


def test_a_folder_without_a_database_is_closed(tmp_path: Path) -> None:
    """What can't be opened at all leaves nothing open either."""
    folder = MountedFolder(tmp_path / "nowhere")
    with pytest.raises(PlatformError) as refused:
        SealedDatabase.open_in(folder)
    assert refused.value.code == "io-error"
    assert folder.closings == 1


def test_a_closed_database_closes_its_folder_once(folder: MountedFolder) -> None:
    """The next window may open the files then."""
    database = SealedDatabase.open_in(folder)
    assert folder.closings == 0
    database.close()
    database.close()
    assert folder.closings == 1


@pytest.mark.parametrize(("is_full", "code"), [(True, "disk-full"), (False, "io-error")])
def test_a_failed_write_says_whether_there_was_room(
    folder: MountedFolder, *, is_full: bool, code: str
) -> None:
    """SQLite takes both for the same; only the folder knows."""
    database = SealedDatabase.open_in(folder)
    database.run("PRAGMA query_only = ON")
    folder.full = is_full
    with pytest.raises(PlatformError) as failed:
        database.run("DELETE FROM messages")
    assert failed.value.code == code
    database.close()
