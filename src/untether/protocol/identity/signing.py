"""Signatures over labelled bytes (spec 02, "Signatures")."""

from __future__ import annotations

from functools import lru_cache

from untether.base.errors import RemoteError
from untether.crypto.provider import CryptoError, provider
from untether.wire.codec import Record, encode
from untether.wire.records import SignedObject


def sign(seed: bytes, label: bytes, *parts: bytes) -> bytes:
    """Sign label ‖ parts with an Ed25519 seed; returns 64 bytes."""
    return provider().ed25519_sign(seed, b"".join((label, *parts)))


def sign_record(seed: bytes, label: bytes, record: Record) -> SignedObject:
    """Encode a record and sign label ‖ encoding."""
    body = encode(record)
    return SignedObject(body=body, signature=sign(seed, label, body))


def check_signature(key: bytes, signature: bytes, label: bytes, *parts: bytes, code: str) -> None:
    """Raise RemoteError ``code`` unless ``key`` signed label ‖ parts."""
    try:
        _verify(key, b"".join((label, *parts)), signature)
    except CryptoError as error:
        raise RemoteError(code, "A signature does not fit what it should vouch for.") from error


@lru_cache(maxsize=1024)
def _verify(key: bytes, message: bytes, signature: bytes) -> None:
    """Verify what was not verified lately: stored lists and certificates are read at every turn.

    Only what held is remembered; a refusal is found anew each time.
    """
    provider().ed25519_verify(key, message, signature)
