"""The pairwise protocol written a second time, for the pairwise vectors.

Independent of the product: PyNaCl, cryptography and the standard library only.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import blake2b, sha256

import nacl.bindings
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from vectors.identity_builder import Account, Device, label

START_MS = 1_790_000_000_000


def stream(purpose: str, length: int) -> bytes:
    """Return reproducible bytes for one purpose."""
    blocks = range(length // 32 + 1)
    return b"".join(
        sha256(f"pairwise vectors {purpose} {block}".encode()).digest() for block in blocks
    )[:length]


def x25519_public(secret: bytes) -> bytes:
    """Return the public key of a seed."""
    return nacl.bindings.crypto_scalarmult_base(secret)


def x25519(secret: bytes, public: bytes) -> bytes:
    """Return the shared secret."""
    return nacl.bindings.crypto_scalarmult(secret, public)


def hkdf(salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA-256 (RFC 5869)."""
    key = hmac.digest(salt or bytes(32), ikm, "sha256")
    block, output = b"", b""
    for counter in range(1, length // 32 + 1):
        block = hmac.digest(key, block + info + bytes([counter]), "sha256")
        output += block
    return output


def seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """ChaCha20-Poly1305 (RFC 8439)."""
    return ChaCha20Poly1305(key).encrypt(nonce, plaintext, associated)


@dataclass(frozen=True)
class End:
    """One device of one account."""

    owner: Account
    number: int
    keys: Device

    @property
    def address(self) -> bytes:
        """Account key ‖ device number."""
        return self.owner.key + self.number.to_bytes(4, "big")

    def described(self) -> dict[str, object]:
        """Describe for a vector file."""
        return {
            "account_key": self.owner.key.hex(),
            "device": self.number,
            "signing_seed": self.keys.signing_seed.hex(),
            "agreement_seed": self.keys.agreement_seed.hex(),
        }


def associated_data(sender: End, recipient: End) -> bytes:
    """Return what binds a message to both ends, up to the header."""
    return label("pairwise-message") + sender.address + recipient.address


def chain_step(chain_key: bytes) -> tuple[bytes, bytes]:
    """Return next chain key and message key."""
    output = blake2b(label("ratchet-chain"), key=chain_key).digest()
    return output[:32], output[32:]


def mix_root(root_key: bytes, shared: bytes) -> tuple[bytes, bytes]:
    """Return next root key and chain key."""
    output = hkdf(root_key, shared, label("ratchet-root"), 64)
    return output[:32], output[32:]


@dataclass
class Chain:
    """One chain, as its sender has it."""

    ratchet_key: bytes
    previous_length: int
    number: int
    key: bytes

    def header(self) -> bytes:
        """Return the header of the next message, without its version."""
        lengths = self.previous_length.to_bytes(4, "big") + self.number.to_bytes(4, "big")
        return self.ratchet_key + lengths

    def state(self) -> bytes:
        """Return the sender's stored column."""
        return self.header() + self.key

    def seal(self, payload: bytes, nonce: bytes, associated: bytes) -> bytes:
        """Return the next message."""
        header = b"\x01" + self.header()
        self.key, message_key = chain_step(self.key)
        self.number += 1
        return header + nonce + seal(message_key, nonce, payload, associated + header)
