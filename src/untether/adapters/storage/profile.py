"""A profile: the directory that is one device (spec 09, "Profile").

``profile.json`` says how the database key is kept; everything else is in the encrypted
``device.db``. A profile exists exactly when ``profile.json`` does: creation writes it under
another name first and renames it last, so a crash in between leaves no profile, only remains
that the next creation clears away.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from untether.adapters.paths import expanded, make_private, unusable
from untether.adapters.storage import database_key, receiver_lock
from untether.adapters.storage.database_key import FindKeyStore, KeyStore, Protection
from untether.adapters.storage.device_apsw import DATABASE_KEY_LENGTH, ApswDeviceDatabase
from untether.adapters.storage.sqlite_database import platform_error
from untether.adapters.vault.asking import PassphraseSource
from untether.adapters.vault.passphrase_seal import Argon2Cost
from untether.base.errors import LocalError, PlatformError
from untether.base.limits import PROFILE_FILE_MAX
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes
from untether.device.store.upgrade import bring_up_to_date, packaged_upgrades

PROFILE_VARIABLE: Final = "UNTETHER_PROFILE"
_PROFILE: Final = "profile.json"
_UNFINISHED: Final = "profile.json.new"
_DATABASE: Final = "device.db"
_SQLITE_CORRUPT: Final = 11
_SMALLEST_DATABASE: Final = 1  # byte: SQLite takes such a file for an empty one
_RECEIVER_LOCK: Final = "receiver.lock"
_FORMAT: Final = 1
_ID_LENGTH: Final = 16


class _AnyFormat(msgspec.Struct, frozen=True):
    """What every format of ``profile.json`` has."""

    format: int


class _ProfileFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``profile.json``."""

    format: int
    profile_id: str
    database_key: Protection


@dataclass(frozen=True)
class Profile:
    """An unlocked profile; the database key lives in this object only."""

    directory: Path
    _key: SecretBytes = field(repr=False)

    def open_database(self) -> ApswDeviceDatabase:
        """Return a new connection to the database, upgraded; may be called several times.

        A profile is complete only after its database was made, so that a missing or empty one is
        PlatformError ``database-corrupt``, and nothing is put in its place.
        """
        if exists(self.directory) and not _has_content(self.directory / _DATABASE):
            raise platform_error(_SQLITE_CORRUPT, "no database", encrypted=False)
        database = ApswDeviceDatabase.open(self.directory / _DATABASE, self._key)
        try:
            bring_up_to_date(database, packaged_upgrades())
        except BaseException:
            database.close()
            raise
        return database

    def receive_alone(self) -> AbstractContextManager[None]:
        """Hold the receiver lock inside; LocalError ``already-receiving``."""
        return receiver_lock.receive_alone(self.directory / _RECEIVER_LOCK)


def default_directory(environment: Mapping[str, str]) -> Path:
    """Return UNTETHER_PROFILE, else ``untether/default`` in the user's data directory."""
    if named := environment.get(PROFILE_VARIABLE):
        return expanded(named)
    data = environment.get("XDG_DATA_HOME")
    return (Path(data) if data else expanded("~/.local/share")) / "untether" / "default"


def exists(directory: Path) -> bool:
    """Whether the directory holds a complete profile."""
    return (directory / _PROFILE).exists()


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > _SMALLEST_DATABASE
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unusable(error) from error


async def create(
    directory: Path,
    *,
    passphrases: PassphraseSource,
    key_store: KeyStore | None,
    randomness: Randomness,
    cost: Argon2Cost | None = None,
) -> Profile:
    """Make a profile, all or nothing; LocalError ``profile-exists``."""
    _refuse_existing(directory)
    key = SecretBytes.generate(DATABASE_KEY_LENGTH, randomness)
    profile_id = randomness(_ID_LENGTH).hex()
    protection = await database_key.protect(
        key,
        profile_id,
        key_store=key_store,
        passphrases=passphrases,
        cost=cost or Argon2Cost(),
        randomness=randomness,
    )
    content = _ProfileFile(_FORMAT, profile_id, protection)
    try:
        with _file_errors(), _creating(directory) as descriptor:
            _refuse_existing(directory)
            _clear_remains(directory, key_store)
            return _made(Profile(directory, key), content, descriptor)
    except BaseException:
        database_key.forget(protection, profile_id, lambda: key_store)
        raise


def _made(profile: Profile, content: _ProfileFile, descriptor: int) -> Profile:
    """Write a profile's files, all or none; ``descriptor`` is its directory."""
    directory = profile.directory
    try:
        _write_private(directory / _UNFINISHED, msgspec.json.encode(content))
        profile.open_database().close()
        os.fsync(descriptor)
        (directory / _UNFINISHED).rename(directory / _PROFILE)
        os.fsync(descriptor)
    except BaseException:
        _delete_files(directory)
        raise
    return profile


def remove(directory: Path, *, find_key_store: FindKeyStore) -> None:
    """Delete a profile: its files, the directory if that was all, its key in the key store."""
    content = _read(directory)
    with _file_errors():
        _delete_files(directory)
    database_key.forget(content.database_key, content.profile_id, find_key_store)


def _delete_files(directory: Path) -> None:
    """Delete a profile's files, ``profile.json`` first, and the directory if that was all."""
    names = (_PROFILE, _DATABASE, f"{_DATABASE}-wal", f"{_DATABASE}-shm", _RECEIVER_LOCK)
    for name in (*names, _UNFINISHED):
        (directory / name).unlink(missing_ok=True)
    with suppress(OSError):  # somebody else's files are in it
        directory.rmdir()


async def unlock(
    directory: Path, *, passphrases: PassphraseSource, find_key_store: FindKeyStore
) -> Profile:
    """Return the profile with its key; LocalError ``no-profile``, VerificationError."""
    content = _read(directory)
    key = await database_key.unlock(
        content.database_key,
        content.profile_id,
        find_key_store=find_key_store,
        passphrases=passphrases,
    )
    if len(key) != DATABASE_KEY_LENGTH:
        raise _damaged()
    return Profile(directory, key)


def _read(directory: Path) -> _ProfileFile:
    try:
        data = _content(directory / _PROFILE)
    except FileNotFoundError as error:
        raise LocalError(
            "no-profile",
            f"There is no profile in {directory}.",
            "Register or link this device first, or name another directory with --profile.",
        ) from error
    except OSError as error:
        raise _unusable(error) from error
    return _parse(data)


def _content(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe has no end
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _damaged()
        data = file.read(PROFILE_FILE_MAX + 1)
    if len(data) > PROFILE_FILE_MAX:
        raise _damaged()
    return data


def _parse(data: bytes) -> _ProfileFile:
    try:
        found = msgspec.json.decode(data, type=_AnyFormat).format
        if found == _FORMAT:
            return msgspec.json.decode(data, type=_ProfileFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged() from error
    raise PlatformError(
        "profile-newer",
        "Another release of Untether made this profile.",
        "Install that release or a later one.",
        format=found,
    )


@contextmanager
def _creating(directory: Path) -> Iterator[int]:
    """Make the directory private and be its only creator; yields its descriptor."""
    make_private(directory)
    directory.chmod(0o700)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _clear_remains(directory: Path, key_store: KeyStore | None) -> None:
    """Delete what a crashed creation left; a database without such traces is somebody's."""
    unfinished, database = directory / _UNFINISHED, directory / _DATABASE
    if database.exists() and not unfinished.exists():
        raise _damaged()
    with suppress(FileNotFoundError, PlatformError):  # cut short: its key is not known
        left = _parse(_content(unfinished))
        database_key.forget(left.database_key, left.profile_id, lambda: key_store)
    for suffix in ("", "-wal", "-shm"):
        database.with_name(_DATABASE + suffix).unlink(missing_ok=True)
    unfinished.unlink(missing_ok=True)


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _refuse_existing(directory: Path) -> None:
    if exists(directory):
        raise LocalError(
            "profile-exists",
            f"{directory} holds a profile already; a profile is one device.",
            "Name another directory with --profile.",
        )


@contextmanager
def _file_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unusable(error) from error


def _unusable(error: OSError) -> PlatformError:
    return unusable("The profile directory", error)


def _damaged() -> PlatformError:
    return PlatformError(
        "profile-damaged",
        "The file profile.json is missing or damaged, so the messages can't be opened.",
        "Put the profile back from a copy, or link this device again in another directory.",
    )
