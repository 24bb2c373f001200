"""Profiles of this machine: a failed creation leaves nothing, an existing profile stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.test_profile import MemoryKeyStore

from untether.base.errors import LocalError, VerificationError
from untether.native import NativeClient

SERVER = "http://localhost:9"


@pytest.fixture(autouse=True)
def _no_key_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own key store is left alone."""
    monkeypatch.setattr("untether.native.system_key_store", lambda: None)


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    """A passphrase in a file."""
    file = tmp_path / "passphrase"
    file.touch(mode=0o600)
    file.write_text("correct horse battery")
    return file


async def test_a_profile_without_an_account_is_removed(tmp_path: Path, passphrase: Path) -> None:
    """Nothing came of it: not even the directory is left."""
    directory = tmp_path / "alice"
    with pytest.raises(RuntimeError, match="anything"):
        async with NativeClient.create(directory, SERVER, passphrase_file=passphrase):
            assert (directory / "profile.json").exists()
            raise RuntimeError("anything")
    assert not directory.exists()


async def test_its_key_is_removed_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of an unused profile stays in the system's key store."""
    store = MemoryKeyStore()
    monkeypatch.setattr("untether.native.system_key_store", lambda: store)
    async with NativeClient.create(tmp_path / "alice", SERVER):
        assert len(store.kept) == 1
    assert store.kept == {}


async def test_files_of_others_stay(tmp_path: Path, passphrase: Path) -> None:
    """Only the profile's own files are removed from a directory that has more."""
    directory = tmp_path / "documents"
    directory.mkdir()
    (directory / "letter").write_text("dear Bob")
    async with NativeClient.create(directory, SERVER, passphrase_file=passphrase):
        pass
    assert [path.name for path in directory.iterdir()] == ["letter"]


async def test_an_existing_profile_is_never_removed(tmp_path: Path, passphrase: Path) -> None:
    """Whoever made it may still be at work with it."""
    directory = tmp_path / "alice"
    async with NativeClient.create(directory, SERVER, passphrase_file=passphrase):
        async with NativeClient.create(directory, SERVER, passphrase_file=passphrase):
            pass
        assert (directory / "profile.json").exists()
        assert (directory / "device.db").exists()
    assert not directory.exists()


@pytest.mark.parametrize("server", ["ftp://relay", "http://relay.example"])
async def test_a_bad_address_makes_nothing(tmp_path: Path, server: str) -> None:
    """It is refused before anybody is asked for a passphrase."""
    with pytest.raises(LocalError):
        async with NativeClient.create(tmp_path / "alice", server):
            pass
    assert not (tmp_path / "alice").exists()


async def test_without_a_passphrase_nothing_is_made(tmp_path: Path) -> None:
    """A key that lies in the clear is never the way out."""
    with pytest.raises(VerificationError):
        async with NativeClient.create(
            tmp_path / "alice", SERVER, passphrase_file=tmp_path / "none"
        ):
            pass
    assert not (tmp_path / "alice").exists()


async def test_opening_what_has_no_account(tmp_path: Path, passphrase: Path) -> None:
    """A profile that is still being made is no device yet; where there is none, none is made."""
    directory = tmp_path / "alice"
    async with NativeClient.create(directory, SERVER, passphrase_file=passphrase):
        with pytest.raises(LocalError) as caught:
            async with NativeClient.open(directory, passphrase_file=passphrase):
                pass
        assert caught.value.code == "no-account"
    with pytest.raises(LocalError) as caught:
        async with NativeClient.open(directory, passphrase_file=passphrase):
            pass
    assert caught.value.code == "no-profile"
    assert not directory.exists()
