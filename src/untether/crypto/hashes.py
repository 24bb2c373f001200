"""Hashes and key derivations, on Python's own hashlib and hmac everywhere (spec 01, "Hashes").

The same code runs natively and in the browser, so it needs no port.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

HASH_LENGTH: Final = 32
_SHA256_LENGTH: Final = 32
_blake2b = hashlib.blake2b


def blake2b_256(*parts: bytes, key: bytes = b"") -> bytes:
    """BLAKE2b with 32 bytes of output over the joined parts (RFC 7693), optionally keyed."""
    return _blake2b(b"".join(parts), digest_size=HASH_LENGTH, key=key).digest()


def blake2b_128(*parts: bytes) -> bytes:
    """BLAKE2b with 16 bytes of output over the joined parts (RFC 7693)."""
    return _blake2b(b"".join(parts), digest_size=16).digest()


def keyed_blake2b_512(key: bytes, data: bytes) -> bytes:
    """BLAKE2b with 64 bytes of output under a key of at most 64 bytes: one chain step."""
    return _blake2b(data, key=key).digest()


def sha256(data: bytes) -> bytes:
    """SHA-256 (FIPS 180-4), which browsers have too: of released files, not of the protocol."""
    return hashlib.sha256(data).digest()


def hkdf_sha256(*, salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA-256 (RFC 5869); ``length`` is at most 8,160 bytes."""
    if length > 255 * _SHA256_LENGTH:
        raise ValueError("HKDF-SHA-256 gives at most 8,160 bytes")
    pseudorandom_key = hmac.digest(salt or bytes(_SHA256_LENGTH), ikm, "sha256")
    output = block = b""
    for counter in range(1, -(-length // _SHA256_LENGTH) + 1):
        block = hmac.digest(pseudorandom_key, block + info + bytes([counter]), "sha256")
        output += block
    return output[:length]


def iterated_sha512(first: bytes, suffix: bytes, rounds: int) -> bytes:
    """Return Hₙ with H₁ = SHA-512(first), Hᵢ = SHA-512(Hᵢ₋₁ ‖ suffix), n = ``rounds``."""
    digest = hashlib.sha512(first).digest()
    for _ in range(rounds - 1):
        digest = hashlib.sha512(digest + suffix).digest()
    return digest


def equal(left: bytes, right: bytes) -> bool:
    """Compare two secrets or authenticators in constant time."""
    return hmac.compare_digest(left, right)
