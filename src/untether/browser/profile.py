"""The profile of a device in a browser (spec 09, "Profile", "In the browser").

``profile.json`` holds the key of the database: sealed under a passkey or a passphrase, or, where
the owner has chosen no lock, as it is.
"""

from __future__ import annotations

from typing import Final, Literal, Protocol

import msgspec

from untether.adapters.vault.passphrase_seal import Argon2Cost
from untether.adapters.vault.proofs import DATABASE, Proof, Way, open_seal, seal, way_of
from untether.base.errors import LocalError, PlatformError, VerificationError
from untether.base.limits import PROFILE_FILE_MAX
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes
from untether.device.store.database import DeviceDatabase

_FORMAT: Final = 1
_KEY_LENGTH: Final = 32


class ProfileFiles(Protocol):
    """The files of one device; every failure is a PlatformError."""

    async def read_profile(self) -> bytes | None:
        """Return what was written, or None when there is no profile."""
        ...

    async def write_profile(self, content: bytes) -> None:
        """Write the profile, whole or not at all."""
        ...

    async def open_database(self, key: SecretBytes) -> DeviceDatabase:
        """Open the database under its key, or make it, upgraded."""
        ...

    async def erase(self) -> None:
        """Delete everything, the key to it first."""
        ...


class Protection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the key is kept: ``key`` is a seal, or with ``device`` the key itself."""

    method: Literal["passkey", "passphrase", "device"]
    key: bytes

    @property
    def way(self) -> Way | None:
        """How it is opened; None where there is no lock."""
        return None if self.method == "device" else way_of(self.key)


class _ProfileFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    database_key: Protection


class Profiles:
    """Makes, opens and deletes the one profile of this browser."""

    def __init__(
        self, files: ProfileFiles, randomness: Randomness, cost: Argon2Cost | None = None
    ) -> None:
        self._files = files
        self._randomness = randomness
        self._cost = cost or Argon2Cost()

    async def protection(self) -> Protection | None:
        """Return how the key is kept, or None when there is no profile."""
        content = await self._files.read_profile()
        return None if content is None else _parse(content)

    async def create(self, lock: Proof | None) -> DeviceDatabase:
        """Make the profile and return its database; LocalError ``profile-exists``.

        The profile is written last: what breaks off before leaves none.
        """
        if await self.protection() is not None:
            raise LocalError(
                "profile-exists",
                "This browser holds a device already.",
                "Unlock it, or erase it first.",
            )
        await self._files.erase()
        key = SecretBytes.generate(_KEY_LENGTH, self._randomness)
        if lock is None:
            protection = Protection("device", bytes(key))
        else:
            sealed = seal(key, lock, DATABASE, self._randomness, self._cost)
            protection = Protection(lock.method, sealed)
        database = await self._files.open_database(key)
        try:
            content = msgspec.json.encode(_ProfileFile(_FORMAT, protection))
            await self._files.write_profile(content)
        except BaseException:
            database.close()
            raise
        return database

    async def unlock(self, proof: Proof | None) -> DeviceDatabase:
        """Return the database; LocalError ``no-profile``, VerificationError."""
        protection = await self.protection()
        if protection is None:
            raise LocalError(
                "no-profile",
                "This browser holds no device.",
                "Make an account, or link this device to yours.",
            )
        return await self._files.open_database(_key(protection, proof))

    async def erase(self) -> None:
        """Delete the profile and its database."""
        await self._files.erase()


def _key(protection: Protection, proof: Proof | None) -> SecretBytes:
    if protection.method == "device":
        key = SecretBytes(protection.key)
    elif proof is None:
        raise VerificationError(
            "no-usable-seal", "This device has a lock.", "Use the way that you chose for it."
        )
    else:
        key = open_seal(protection.key, proof, DATABASE)
    if len(key) != _KEY_LENGTH:
        raise _damaged()
    return key


def _parse(content: bytes) -> Protection:
    try:
        if len(content) > PROFILE_FILE_MAX:
            raise _damaged()
        found = msgspec.json.decode(content, type=_ProfileFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged() from error
    if found.format != _FORMAT:
        raise PlatformError(
            "profile-newer",
            "Another release of Untether made what this browser keeps.",
            "Load the app again to get the newest release.",
            format=found.format,
        )
    return found.database_key


def _damaged() -> PlatformError:
    return PlatformError(
        "profile-damaged",
        "What this browser keeps of your device is damaged, so its messages can't be opened.",
        "Erase it and link this device again; your other devices still have the messages.",
    )
