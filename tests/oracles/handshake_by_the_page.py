"""The handshake once more, written from docs/spec/04 "Handshake" alone.

Nothing of the product is used, and no library that it uses: ML-KEM-768 is kyber-py, X25519 is
:mod:`tests.oracles.curve25519`, hashes are the standard library's.
"""

from __future__ import annotations

import hmac
from hashlib import blake2b
from typing import NamedTuple

from kyber_py.ml_kem import ML_KEM_768
from tests.oracles.curve25519 import x25519, x25519_public

NO_KEY = bytes(32)
NO_ID = bytes(8)


class Identity(NamedTuple):
    """A device as the other one knows it."""

    account_key: bytes
    number: int
    signing_key: bytes
    agreement_key: bytes

    @property
    def described(self) -> bytes:
        """Address, signing key and agreement key, as the transcript has them."""
        address = self.account_key + self.number.to_bytes(4, "big")
        return address + self.signing_key + self.agreement_key


class Pair(NamedTuple):
    """A prekey pair with its private halves."""

    id: bytes
    x25519_seed: bytes
    kem_seed: bytes

    @property
    def x25519(self) -> bytes:
        """The public X25519 key."""
        return x25519_public(self.x25519_seed)

    @property
    def kem(self) -> bytes:
        """The encapsulation key."""
        return self._kem_keys[0]

    @property
    def _kem_keys(self) -> tuple[bytes, bytes]:
        encapsulation, decapsulation = ML_KEM_768.key_derive(self.kem_seed)
        return bytes(encapsulation), bytes(decapsulation)

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Return the KEM secret."""
        return bytes(ML_KEM_768.decaps(self._kem_keys[1], ciphertext))


class PublicPair(NamedTuple):
    """What an initiator is handed out."""

    id: bytes
    x25519: bytes
    kem: bytes


class Outcome(NamedTuple):
    """What both sides must agree on."""

    prefix: bytes
    transcript: bytes
    root_key: bytes
    session_id: bytes


def initiate(
    initiator: Identity,
    agreement_seed: bytes,
    responder: Identity,
    rotating: PublicPair,
    one_time: PublicPair | None,
    *,
    number: int,
    ephemeral: bytes,
) -> Outcome:
    """Start a session as I; kyber-py draws the randomness of the encapsulation."""
    kem_secret, kem_ciphertext = map(bytes, ML_KEM_768.encaps((one_time or rotating).kem))
    prefix = spell_prefix(
        number,
        rotating.id,
        one_time.id if one_time else None,
        x25519_public(ephemeral),
        kem_ciphertext,
    )
    secrets = (
        x25519(agreement_seed, rotating.x25519)
        + x25519(ephemeral, responder.agreement_key)
        + x25519(ephemeral, rotating.x25519)
        + (x25519(ephemeral, one_time.x25519) if one_time else b"")
        + kem_secret
    )
    used = (rotating.x25519, one_time.x25519 if one_time else NO_KEY, (one_time or rotating).kem)
    return conclude(initiator, responder, used, prefix, secrets)


def respond(
    initiator: Identity,
    responder: Identity,
    agreement_seed: bytes,
    prefix: bytes,
    *,
    rotating: Pair,
    one_time: Pair | None,
) -> Outcome:
    """Derive as R what the initiator derived, from the prefix that came."""
    base_key, kem_ciphertext = prefix[26:58], prefix[58:1146]
    secrets = (
        x25519(rotating.x25519_seed, initiator.agreement_key)
        + x25519(agreement_seed, base_key)
        + x25519(rotating.x25519_seed, base_key)
        + (x25519(one_time.x25519_seed, base_key) if one_time else b"")
        + (one_time or rotating).decapsulate(kem_ciphertext)
    )
    used = (rotating.x25519, one_time.x25519 if one_time else NO_KEY, (one_time or rotating).kem)
    return conclude(initiator, responder, used, prefix, secrets)


def spell_prefix(
    number: int,
    rotating_id: bytes,
    one_time_id: bytes | None,
    base_key: bytes,
    kem_ciphertext: bytes,
) -> bytes:
    """Write a prefix as the page does."""
    prefix = (
        b"\x02"
        + number.to_bytes(8, "big")
        + rotating_id
        + (b"\0" + NO_ID if one_time_id is None else b"\1" + one_time_id)
        + base_key
        + kem_ciphertext
    )
    assert len(prefix) == 1_146
    return prefix


def conclude(
    initiator: Identity,
    responder: Identity,
    used: tuple[bytes, bytes, bytes],
    prefix: bytes,
    secrets: bytes,
) -> Outcome:
    """Hash the transcript, derive the root key, name the session."""
    said = initiator.described + responder.described + b"".join(used) + prefix
    transcript = blake2b(label("handshake-transcript") + b"\x01" + said, digest_size=32).digest()
    root_key = hkdf(b"", secrets, label("handshake-keys") + transcript, 32)
    session_id = blake2b(label("session-id") + prefix, digest_size=16).digest()
    return Outcome(prefix, transcript, root_key, session_id)


def label(purpose: str) -> bytes:
    """Spell a label (docs/spec/01, "Labels")."""
    return b"untether/v1/" + purpose.encode("ascii") + b"\0"


def hkdf(salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA-256 by RFC 5869, section 2."""
    prk = hmac.new(salt or bytes(32), ikm, "sha256").digest()
    t, okm, counter = b"", b"", 1
    while len(okm) < length:
        t = hmac.new(prk, t + info + bytes([counter]), "sha256").digest()
        okm += t
        counter += 1
    return okm[:length]
