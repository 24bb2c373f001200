"""ECDSA on P-256 with SHA-256, for push services only (spec 08, "Web push"; RFC 7518 §3.4).

No key or message of a person depends on it: browsers' push services take no other signature.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SEED_LENGTH: Final = 48
"""Sixteen bytes more than a key, so that the remainder is as good as evenly spread."""
PUBLIC_LENGTH: Final = 65
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_NUMBER_LENGTH: Final = 32


def public_key(seed: bytes) -> bytes:
    """Return the public key (65 bytes, not compressed) that belongs to a seed (48)."""
    return _private(seed).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def sign(seed: bytes, message: bytes) -> bytes:
    """Return a signature (64 bytes: r ‖ s)."""
    r, s = decode_dss_signature(_private(seed).sign(message, ec.ECDSA(SHA256())))
    return r.to_bytes(_NUMBER_LENGTH, "big") + s.to_bytes(_NUMBER_LENGTH, "big")


def _private(seed: bytes) -> ec.EllipticCurvePrivateKey:
    if len(seed) != SEED_LENGTH:
        raise ValueError("a seed has 48 bytes")
    return ec.derive_private_key(int.from_bytes(seed, "big") % (_ORDER - 1) + 1, ec.SECP256R1())
