"""Signatures for push services, checked by another way than they are made."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from untether.crypto import es256

SEED = bytes(range(48))
GENERATOR = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Verify as a push service does: 64 bytes under 65 bytes."""
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    key.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))


def test_a_signature_holds_for_its_message_and_key() -> None:
    """And for no other one."""
    public = es256.public_key(SEED)
    assert (len(public), public[0]) == (es256.PUBLIC_LENGTH, 4)
    signature = es256.sign(SEED, b"message")
    assert len(signature) == 64
    verify(public, b"message", signature)
    with pytest.raises(InvalidSignature):
        verify(public, b"another", signature)
    with pytest.raises(InvalidSignature):
        verify(es256.public_key(bytes(48)), b"message", signature)


def test_every_seed_is_a_key() -> None:
    """The smallest private key is one, whose public key is the curve's generator."""
    order_less_one = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550
    assert es256.public_key(bytes(48)) == GENERATOR
    assert es256.public_key(order_less_one.to_bytes(48, "big")) == GENERATOR
    assert es256.public_key(b"\xff" * 48) != GENERATOR
    with pytest.raises(ValueError, match="48 bytes"):
        es256.public_key(bytes(32))
