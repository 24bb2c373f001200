"""A secret sealed under a passphrase (spec 09, "Passphrase seal").

Argon2id makes each guess cost memory and time; its output is bound to one purpose by HKDF with
the purpose's label, and the cost and salt are authenticated with the secret::

    method (1) ‖ memory KiB (4) ‖ passes (4) ‖ salt (16) ‖ nonce (12) ‖ ciphertext and tag
"""

from __future__ import annotations

import struct
import unicodedata
from typing import Final

from msgspec import Struct

from untether.base.errors import PlatformError, VerificationError
from untether.base.limits import (
    ARGON2ID_MEMORY_KIB,
    ARGON2ID_MEMORY_KIB_MAX,
    ARGON2ID_PASSES,
    ARGON2ID_PASSES_MAX,
)
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes
from untether.crypto import hashes
from untether.crypto.provider import AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH, CryptoError, provider

METHOD_PASSPHRASE: Final = 1
_HEADER: Final = struct.Struct(">BII16s12s")
_SALT_LENGTH: Final = 16
_KEY_LENGTH: Final = 32
_MEMORY_KIB_MIN: Final = 8  # RFC 9106: eight blocks for each lane


class Argon2Cost(Struct, frozen=True):
    """What one guess costs; the default is the product's."""

    memory_kib: int = ARGON2ID_MEMORY_KIB
    passes: int = ARGON2ID_PASSES

    def check(self) -> None:
        """Refuse a cost that Argon2id or this machine can't take."""
        if not (
            _MEMORY_KIB_MIN <= self.memory_kib <= ARGON2ID_MEMORY_KIB_MAX
            and 1 <= self.passes <= ARGON2ID_PASSES_MAX
        ):
            raise _damaged()


def passphrase_from_text(text: str) -> SecretBytes:
    """Return a passphrase as bytes: UTF-8 of NFKC, so that every keyboard spells it alike."""
    return SecretBytes(unicodedata.normalize("NFKC", text).encode("utf-8", "surrogateescape"))


def seal_secret(
    secret: SecretBytes,
    passphrase: SecretBytes,
    label: bytes,
    *,
    cost: Argon2Cost,
    randomness: Randomness,
) -> bytes:
    """Seal ``secret`` under ``passphrase`` for the one purpose that ``label`` names."""
    cost.check()
    salt, nonce = randomness(_SALT_LENGTH), randomness(AEAD_NONCE_LENGTH)
    header = _HEADER.pack(METHOD_PASSPHRASE, cost.memory_kib, cost.passes, salt, nonce)
    key = _derive_key(passphrase, salt, label, cost)
    return header + provider().aead_seal(key, nonce, secret, label + header)


def open_secret(sealed: bytes, passphrase: SecretBytes, label: bytes) -> SecretBytes:
    """Undo :func:`seal_secret`; VerificationError ``passphrase-wrong``.

    A changed seal looks like a wrong passphrase, except where its form alone tells:
    PlatformError ``seal-damaged``.
    """
    if len(sealed) < _HEADER.size + AEAD_TAG_LENGTH:
        raise _damaged()
    header, ciphertext = sealed[: _HEADER.size], sealed[_HEADER.size :]
    method, memory_kib, passes, salt, nonce = _HEADER.unpack(header)
    if method != METHOD_PASSPHRASE:
        raise _damaged()
    cost = Argon2Cost(memory_kib, passes)
    cost.check()
    key = _derive_key(passphrase, salt, label, cost)
    try:
        return SecretBytes(provider().aead_open(key, nonce, ciphertext, label + header))
    except CryptoError as error:
        raise VerificationError(
            "passphrase-wrong", "The passphrase is wrong.", "Check it and try again."
        ) from error


def _derive_key(passphrase: SecretBytes, salt: bytes, label: bytes, cost: Argon2Cost) -> bytes:
    stretched = provider().argon2id(
        passphrase, salt, memory_kib=cost.memory_kib, passes=cost.passes, length=_KEY_LENGTH
    )
    return hashes.hkdf_sha256(salt=b"", ikm=stretched, info=label, length=_KEY_LENGTH)


def _damaged() -> PlatformError:
    return PlatformError(
        "seal-damaged",
        "What the passphrase protects is damaged.",
        "Put the profile back from a copy.",
    )
