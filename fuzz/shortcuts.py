"""Where a case goes around cost or cryptography, so that what lies behind is reached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from unittest.mock import patch

from kyber_py.ml_kem import ML_KEM_768

from untether.adapters import qr
from untether.adapters.vault import passphrase_seal
from untether.crypto.native import NativeProvider
from untether.crypto.provider import provider
from untether.protocol.identity import security_code


@contextmanager
def signatures_hold() -> Iterator[None]:
    """Let every signature verify: whoever is hostile has keys of its own and can sign."""
    provider()  # its self-test is for the real one
    with patch.object(NativeProvider, "ed25519_verify", lambda *_: None):
        yield


@contextmanager
def cheap_guesses() -> Iterator[None]:
    """Let a seal ask for little: the real bounds are what a person may choose to wait for."""
    with (
        patch.object(passphrase_seal, "ARGON2ID_MEMORY_KIB_MAX", 64),
        patch.object(passphrase_seal, "ARGON2ID_PASSES_MAX", 2),
    ):
        yield


@contextmanager
def small_pictures() -> Iterator[None]:
    """Let a picture have few points: the real bound is a photograph of the person's own."""
    with patch.object(qr, "QR_IMAGE_PIXELS_MAX", 256 * 256):
        yield


@contextmanager
def remembered_fingerprints() -> Iterator[None]:
    """Derive a fingerprint, which is slow on purpose, once for each account."""
    derive = cache(security_code.account_fingerprint)
    with patch.object(security_code, "account_fingerprint", derive):
        yield


@contextmanager
def same_encapsulations() -> Iterator[None]:
    """Encapsulate without chance, so that genuine messages are the same in every process."""

    def encapsulate(_provider: NativeProvider, public: bytes) -> tuple[bytes, bytes]:
        secret, ciphertext = ML_KEM_768._encaps_internal(public, sha256(public).digest())
        return bytes(secret), bytes(ciphertext)

    provider()  # its self-test is for the real one
    with patch.object(NativeProvider, "mlkem768_encapsulate", encapsulate):
        yield
