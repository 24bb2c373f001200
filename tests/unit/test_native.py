"""Profiles of this machine: a failed creation leaves nothing, an existing profile stays."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.commands.false_relays import closed_port
from tests.unit.test_profile import MemoryKeyStore

from untether.base.errors import LocalError, NetworkError, VerificationError
from untether.native import NativeClient
from untether.server.config import Config
from untether.server.driver import serving
from untether.server.event_log import Log


@pytest.fixture(autouse=True)
def _no_key_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own key store is left alone."""
    monkeypatch.setattr("untether.native.system_key_store", lambda: None)


@pytest.fixture
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a relay."""
    config = Config(port=0, data=str(tmp_path_factory.mktemp("relay")))
    async with serving(config, Log(io.StringIO())) as relay:
        yield relay.address


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    """A passphrase in a file."""
    file = tmp_path / "passphrase"
    file.touch(mode=0o600)
    file.write_text("correct horse battery")
    return file


async def test_a_profile_without_an_account_is_removed(
    server: str, tmp_path: Path, passphrase: Path
) -> None:
    """Nothing came of it: not even the directory is left."""
    directory = tmp_path / "alice"
    with pytest.raises(RuntimeError, match="anything"):
        async with NativeClient.create(directory, server, passphrase_file=passphrase):
            assert (directory / "profile.json").exists()
            raise RuntimeError("anything")
    assert not directory.exists()


async def test_its_key_is_removed_with_it(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of an unused profile stays in the system's key store."""
    store = MemoryKeyStore()
    monkeypatch.setattr("untether.native.system_key_store", lambda: store)
    async with NativeClient.create(tmp_path / "alice", server):
        assert len(store.kept) == 1
    assert store.kept == {}


async def test_files_of_others_stay(server: str, tmp_path: Path, passphrase: Path) -> None:
    """Only the profile's own files are removed from a directory that has more."""
    directory = tmp_path / "documents"
    directory.mkdir()
    (directory / "letter").write_text("dear Bob")
    async with NativeClient.create(directory, server, passphrase_file=passphrase):
        pass
    assert [path.name for path in directory.iterdir()] == ["letter"]


async def test_an_existing_profile_is_never_removed(
    server: str, tmp_path: Path, passphrase: Path
) -> None:
    """Whoever made it may still be at work with it."""
    directory = tmp_path / "alice"
    async with NativeClient.create(directory, server, passphrase_file=passphrase):
        async with NativeClient.create(directory, server, passphrase_file=passphrase):
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


async def test_nobody_is_asked_before_the_relay_was_reached(tmp_path: Path) -> None:
    """Who typed the address wrong has not chosen a passphrase for nothing."""
    with closed_port() as nobody, pytest.raises(NetworkError) as caught:
        async with NativeClient.create(
            tmp_path / "alice", nobody, passphrase_file=tmp_path / "none"
        ):
            pass
    assert caught.value.code == "unreachable"
    assert not (tmp_path / "alice").exists()


async def test_without_a_passphrase_nothing_is_made(server: str, tmp_path: Path) -> None:
    """A key that lies in the clear is never the way out."""
    with pytest.raises(VerificationError):
        async with NativeClient.create(
            tmp_path / "alice", server, passphrase_file=tmp_path / "none"
        ):
            pass
    assert not (tmp_path / "alice").exists()


async def test_opening_what_has_no_account(server: str, tmp_path: Path, passphrase: Path) -> None:
    """A profile that is still being made is no device yet; where there is none, none is made."""
    directory = tmp_path / "alice"
    async with NativeClient.create(directory, server, passphrase_file=passphrase):
        with pytest.raises(LocalError) as caught:
            async with NativeClient.open(directory, passphrase_file=passphrase):
                pass
        assert caught.value.code == "no-account"
    with pytest.raises(LocalError) as caught:
        async with NativeClient.open(directory, passphrase_file=passphrase):
            pass
    assert caught.value.code == "no-profile"
    assert not directory.exists()
