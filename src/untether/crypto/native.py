"""The native provider: ``cryptography`` (OpenSSL) and PyNaCl (libsodium), public API only.

X25519 and Ed25519 go through libsodium: it takes raw keys without a load cost, and its strict
verification is the one that the browser has too (spec 01, "Ed25519").
"""

from __future__ import annotations

from typing import Final

import nacl.bindings
import nacl.exceptions
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from nacl.pwhash import argon2id

from untether.crypto.provider import (
    ED25519_PUBLIC_LENGTH,
    ED25519_SIGNATURE_LENGTH,
    MLKEM768_CIPHERTEXT_LENGTH,
    X25519_LENGTH,
    CryptoError,
)

_ZERO: Final = bytes(X25519_LENGTH)


class NativeProvider:
    """Implements :class:`untether.crypto.provider.Provider`."""

    def x25519_public(self, private: bytes) -> bytes:
        """See the port."""
        return nacl.bindings.crypto_scalarmult_base(private)

    def x25519_shared(self, private: bytes, public: bytes) -> bytes:
        """See the port."""
        try:
            shared = nacl.bindings.crypto_scalarmult(private, public)
        except (nacl.exceptions.CryptoError, TypeError) as error:
            raise CryptoError("X25519 refused the key") from error
        if shared == _ZERO:
            raise CryptoError("X25519 gave the all-zero secret")
        return shared

    def ed25519_public(self, seed: bytes) -> bytes:
        """See the port."""
        return nacl.bindings.crypto_sign_seed_keypair(seed)[0]

    def ed25519_sign(self, seed: bytes, message: bytes) -> bytes:
        """See the port."""
        _, secret = nacl.bindings.crypto_sign_seed_keypair(seed)
        return nacl.bindings.crypto_sign(message, secret)[:ED25519_SIGNATURE_LENGTH]

    def ed25519_verify(self, public: bytes, message: bytes, signature: bytes) -> None:
        """See the port."""
        if len(public) != ED25519_PUBLIC_LENGTH or len(signature) != ED25519_SIGNATURE_LENGTH:
            raise CryptoError("Ed25519 key or signature has a wrong length")
        try:
            nacl.bindings.crypto_sign_open(signature + message, public)
        except (nacl.exceptions.CryptoError, ValueError) as error:
            raise CryptoError("the Ed25519 signature does not hold") from error

    def mlkem768_public(self, seed: bytes) -> bytes:
        """See the port."""
        return MLKEM768PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()

    def mlkem768_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        """See the port."""
        try:
            return MLKEM768PublicKey.from_public_bytes(public).encapsulate()
        except ValueError as error:
            raise CryptoError("ML-KEM-768 refused the key") from error

    def mlkem768_decapsulate(self, seed: bytes, ciphertext: bytes) -> bytes:
        """See the port."""
        if len(ciphertext) != MLKEM768_CIPHERTEXT_LENGTH:
            raise CryptoError("the ML-KEM-768 ciphertext has a wrong length")
        return MLKEM768PrivateKey.from_seed_bytes(seed).decapsulate(ciphertext)

    def aead_seal(self, key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        """See the port."""
        return ChaCha20Poly1305(key).encrypt(nonce, plaintext, associated)

    def aead_open(self, key: bytes, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes:
        """See the port."""
        try:
            return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, associated)
        except (InvalidTag, ValueError) as error:
            raise CryptoError("the ciphertext was changed or the key is another") from error

    def argon2id(
        self, passphrase: bytes, salt: bytes, *, memory_kib: int, passes: int, length: int
    ) -> bytes:
        """See the port."""
        return argon2id.kdf(length, passphrase, salt, opslimit=passes, memlimit=memory_kib * 1024)
