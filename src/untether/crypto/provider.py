"""The provider port: the primitives that need a native library (spec 01, "Provider").

Eleven functions, bytes in and bytes out. Private keys are seeds of 32 bytes (X25519,
Ed25519) or 64 bytes (ML-KEM-768): the one form that every provider takes. A provider is chosen
at the first call of :func:`provider` and must first pass the known-answer self-test.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import Final, Protocol, cast

X25519_LENGTH: Final = 32
ED25519_PUBLIC_LENGTH: Final = 32
ED25519_SIGNATURE_LENGTH: Final = 64
MLKEM768_CIPHERTEXT_LENGTH: Final = 1088
MLKEM768_SEED_LENGTH: Final = 64
AEAD_NONCE_LENGTH: Final = 12
AEAD_TAG_LENGTH: Final = 16

NATIVE: Final = ("untether.crypto.native", "NativeProvider")
BROWSER: Final = ("untether.crypto.browser", "BrowserProvider")


class CryptoError(Exception):
    """A key, signature, ciphertext or shared secret is not acceptable. Says no more on purpose."""


class Provider(Protocol):
    """What a cryptographic library must offer, natively and in the browser."""

    def x25519_public(self, private: bytes) -> bytes:
        """Return the public key (32) of an X25519 seed (32); RFC 7748."""
        ...

    def x25519_shared(self, private: bytes, public: bytes) -> bytes:
        """Return the shared secret (32); CryptoError when it is all zero (RFC 7748 §6.1)."""
        ...

    def ed25519_public(self, seed: bytes) -> bytes:
        """Return the public key (32) of an Ed25519 seed (32); RFC 8032."""
        ...

    def ed25519_sign(self, seed: bytes, message: bytes) -> bytes:
        """Return the signature (64) of ``message``."""
        ...

    def ed25519_verify(self, public: bytes, message: bytes, signature: bytes) -> None:
        """Raise CryptoError unless the signature holds by libsodium's strict rules."""
        ...

    def mlkem768_public(self, seed: bytes) -> bytes:
        """Return the encapsulation key (1,184) of a seed d ‖ z (64); FIPS 203."""
        ...

    def mlkem768_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        """Return (shared secret (32), ciphertext (1,088)); CryptoError for a bad key."""
        ...

    def mlkem768_decapsulate(self, seed: bytes, ciphertext: bytes) -> bytes:
        """Return the shared secret (32); a forged ciphertext gives an unrelated one."""
        ...

    def aead_seal(self, key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        """ChaCha20-Poly1305 (RFC 8439): ciphertext ‖ tag (16)."""
        ...

    def aead_open(self, key: bytes, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes:
        """Undo :meth:`aead_seal`; CryptoError when anything was changed."""
        ...

    def argon2id(
        self, passphrase: bytes, salt: bytes, *, memory_kib: int, passes: int, length: int
    ) -> bytes:
        """Argon2id version 1.3 with one lane and a salt of 16 bytes (RFC 9106)."""
        ...


@cache
def provider() -> Provider:
    """Return the provider of this platform, after its self-test."""
    from untether.crypto.self_test import check_provider  # noqa: PLC0415 (chosen lazily)

    module, name = BROWSER if sys.platform == "emscripten" else NATIVE
    chosen = cast("Provider", getattr(import_module(module), name)())
    check_provider(chosen)
    return chosen
