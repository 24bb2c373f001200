"""The browser's provider: libsodium, compiled to WebAssembly, called through JavaScript.

The worker registers libsodium as the JavaScript module ``untether_sodium`` before this is
imported. Each call copies its bytes into JavaScript's memory and the answer back, about ten
microseconds. It is the library that native devices use for X25519 and Ed25519, with the same
strict rules (spec 01, "Ed25519").
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, cast

from untether.crypto.provider import (
    ED25519_PUBLIC_LENGTH,
    ED25519_SIGNATURE_LENGTH,
    MLKEM768_CIPHERTEXT_LENGTH,
    X25519_LENGTH,
    CryptoError,
)

_ZERO: Final = bytes(X25519_LENGTH)


class BrowserProvider:
    """Implements :class:`untether.crypto.provider.Provider`."""

    def __init__(self) -> None:
        self._sodium: Any = import_module("untether_sodium")
        ffi: Any = import_module("pyodide.ffi")
        self._to_js, self._refusal = ffi.to_js, ffi.JsException

    def x25519_public(self, private: bytes) -> bytes:
        """See the port."""
        return _bytes(self._call("crypto_scalarmult_base", private))

    def x25519_shared(self, private: bytes, public: bytes) -> bytes:
        """See the port."""
        shared = _bytes(self._call("crypto_scalarmult", private, public))
        if shared == _ZERO:
            raise CryptoError("X25519 gave the all-zero secret")
        return shared

    def ed25519_public(self, seed: bytes) -> bytes:
        """See the port."""
        return _bytes(self._call("crypto_sign_seed_keypair", seed).publicKey)

    def ed25519_sign(self, seed: bytes, message: bytes) -> bytes:
        """See the port."""
        secret = self._call("crypto_sign_seed_keypair", seed).privateKey
        return _bytes(self._call("crypto_sign_detached", message, secret))

    def ed25519_verify(self, public: bytes, message: bytes, signature: bytes) -> None:
        """See the port."""
        if len(public) != ED25519_PUBLIC_LENGTH or len(signature) != ED25519_SIGNATURE_LENGTH:
            raise CryptoError("Ed25519 key or signature has a wrong length")
        if not self._call("crypto_sign_verify_detached", signature, message, public):
            raise CryptoError("the Ed25519 signature does not hold")

    def mlkem768_public(self, seed: bytes) -> bytes:
        """See the port."""
        return _bytes(self._call("crypto_kem_mlkem768_seed_keypair", seed).publicKey)

    def mlkem768_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        """See the port."""
        made = self._call("crypto_kem_mlkem768_enc", public)
        return _bytes(made.sharedSecret), _bytes(made.ciphertext)

    def mlkem768_decapsulate(self, seed: bytes, ciphertext: bytes) -> bytes:
        """See the port."""
        if len(ciphertext) != MLKEM768_CIPHERTEXT_LENGTH:
            raise CryptoError("the ML-KEM-768 ciphertext has a wrong length")
        secret = self._call("crypto_kem_mlkem768_seed_keypair", seed).privateKey
        return _bytes(self._call("crypto_kem_mlkem768_dec", ciphertext, secret))

    def aead_seal(self, key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        """See the port."""
        return _bytes(
            self._call(
                "crypto_aead_chacha20poly1305_ietf_encrypt", plaintext, associated, None, nonce, key
            )
        )

    def aead_open(self, key: bytes, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes:
        """See the port."""
        return _bytes(
            self._call(
                "crypto_aead_chacha20poly1305_ietf_decrypt",
                None,
                ciphertext,
                associated,
                nonce,
                key,
            )
        )

    def argon2id(
        self, passphrase: bytes, salt: bytes, *, memory_kib: int, passes: int, length: int
    ) -> bytes:
        """See the port."""
        return _bytes(
            self._call(
                "crypto_pwhash",
                length,
                passphrase,
                salt,
                passes,
                memory_kib * 1024,
                self._sodium.crypto_pwhash_ALG_ARGON2ID13,
            )
        )

    def _call(self, name: str, *arguments: Any) -> Any:
        """Call libsodium; CryptoError when it refuses."""
        given = [self._to_js(one) if isinstance(one, bytes) else one for one in arguments]
        try:
            return getattr(self._sodium, name)(*given)
        except self._refusal as error:
            raise CryptoError(f"libsodium refused ({name})") from error


def _bytes(array: Any) -> bytes:
    """Return the bytes of a JavaScript array of them."""
    return cast("bytes", array.to_bytes())
