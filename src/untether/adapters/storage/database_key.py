"""How the database key is kept: the system's key store, else a passphrase (spec 09, "Keys").

The key itself is random and never changes. It lies in the key store of the operating system
under the profile's id, or beside the database sealed under a passphrase; never in the clear.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol, cast

import msgspec

from untether.adapters.vault.asking import PassphraseSource, open_with
from untether.adapters.vault.passphrase_seal import Argon2Cost, open_secret, seal_secret
from untether.base.errors import PlatformError, VerificationError
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes
from untether.crypto import labels

_SERVICE: Final = "untether"
_TRUSTED_BACKENDS: Final = frozenset(
    {
        "keyring.backends.SecretService",
        "keyring.backends.Windows",
        "keyring.backends.kwallet",
        "keyring.backends.libsecret",
        "keyring.backends.macOS",
    }
)


class InKeyring(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="method", tag="keyring"
):
    """The key is in the operating system's key store, under this profile's id."""


class UnderPassphrase(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="method", tag="passphrase"
):
    """The key is sealed under a passphrase (label DATABASE_KEY)."""

    sealed: bytes


Protection = InKeyring | UnderPassphrase


class KeyStore(Protocol):
    """The part of a ``keyring`` backend that is used."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return what is stored, or None."""
        ...

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a text."""
        ...

    def delete_password(self, service: str, username: str) -> None:
        """Delete what is stored; a KeyringError when there is nothing."""
        ...


FindKeyStore = Callable[[], KeyStore | None]
"""Looks for the key store when it is needed; None when there is no real one."""


def system_key_store() -> KeyStore | None:
    """Return the operating system's key store, or None when there is no real one."""
    import keyring  # noqa: PLC0415 (slow to load, and few commands need it)

    chosen = keyring.get_keyring()
    # The chainer holds several backends, the best one first.
    candidates = getattr(chosen, "backends", [chosen])
    return next((cast("KeyStore", found) for found in candidates if is_trusted(found)), None)


def is_trusted(backend: object) -> bool:
    """Whether a ``keyring`` backend is a system's key store, not a plain file or nothing."""
    return type(backend).__module__ in _TRUSTED_BACKENDS


async def protect(
    key: SecretBytes,
    profile_id: str,
    *,
    key_store: KeyStore | None,
    passphrases: PassphraseSource,
    cost: Argon2Cost,
    randomness: Randomness,
) -> Protection:
    """Keep a new key: in a key store that takes it, else under a new passphrase."""
    if key_store is not None and await _stored(key_store, profile_id, key):
        return InKeyring()
    passphrase = await passphrases.new("opens the messages of this device")
    return UnderPassphrase(
        seal_secret(key, passphrase, labels.DATABASE_KEY, cost=cost, randomness=randomness)
    )


async def _stored(key_store: KeyStore, profile_id: str, key: SecretBytes) -> bool:
    """Store the key; False when the key store does not open, e.g. over SSH."""
    import keyring.errors  # noqa: PLC0415 (slow to load)

    try:
        await asyncio.to_thread(key_store.set_password, _SERVICE, profile_id, key.hex())
    except keyring.errors.KeyringError:
        return False
    return True


async def unlock(
    protection: Protection,
    profile_id: str,
    *,
    find_key_store: FindKeyStore,
    passphrases: PassphraseSource,
) -> SecretBytes:
    """Return the key; VerificationError when the person or the key store refuses."""
    if isinstance(protection, UnderPassphrase):
        sealed = protection.sealed
        return await open_with(
            passphrases,
            "This opens the messages of this device.",
            lambda typed: open_secret(sealed, typed, labels.DATABASE_KEY),
        )
    import keyring.errors  # noqa: PLC0415 (slow to load)

    key_store = find_key_store()
    if key_store is None:
        raise _locked()
    try:
        found = await asyncio.to_thread(key_store.get_password, _SERVICE, profile_id)
    except keyring.errors.KeyringError as error:
        raise _locked() from error
    return _from_hex(found)


def forget(protection: Protection, profile_id: str, find_key_store: FindKeyStore) -> None:
    """Delete the key of a profile that is gone; a key store that does not open keeps it."""
    if not isinstance(protection, InKeyring):
        return
    import keyring.errors  # noqa: PLC0415 (slow to load)

    key_store = find_key_store()
    if key_store is not None:
        with suppress(keyring.errors.KeyringError):
            key_store.delete_password(_SERVICE, profile_id)


def _from_hex(found: str | None) -> SecretBytes:
    try:
        return SecretBytes(bytes.fromhex(found or "missing"))
    except ValueError as error:
        raise PlatformError(
            "database-key-missing",
            "The system's key store does not hold this profile's key any more.",
            "Put the key store back from a copy, or link this device again.",
        ) from error


def _locked() -> VerificationError:
    return VerificationError(
        "keyring-locked",
        "The system's key store, which holds this profile's key, does not open.",
        "Unlock it, for example by logging in to the desktop, then try again.",
    )
