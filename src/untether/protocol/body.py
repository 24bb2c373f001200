"""Sealed bodies: the content of a message, encrypted once for all its devices (spec 05, "Body").

A body is sealed under a fresh key that the pairwise sessions then carry to each device. Two
checks come before decryption, because ChaCha20-Poly1305 alone does not bind its key:

1. the *hash* of the sealed body travels with the key, inside the pairwise encryption, so
   nobody who merely knows the key can swap the body for another;
2. the *commitment* ties the ciphertext to one key, so a sender can't craft one body that
   opens differently for two devices.

A changed body always gets a fresh key; the random nonce is a second fence, for the day a
restored copy of a device draws the same key again.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from untether.base.errors import LocalError, RemoteError
from untether.base.limits import BODY_MAX, BODY_PADDED_MIN
from untether.base.padding import pad, unpad
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes
from untether.crypto import hashes, labels
from untether.crypto.provider import AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH, CryptoError, provider

FORMAT: Final = b"\x01"
BODY_KEY_LENGTH: Final = 32
_NONCE_AT: Final = len(FORMAT) + hashes.HASH_LENGTH
_CIPHERTEXT_AT: Final = _NONCE_AT + AEAD_NONCE_LENGTH
_OVERHEAD: Final = _CIPHERTEXT_AT + AEAD_TAG_LENGTH


class SealedBody(NamedTuple):
    """A sealed body with what its readers need: the key and the hash of the sealed bytes."""

    body_key: SecretBytes
    body_hash: bytes
    sealed: bytes


def seal_body(plaintext: bytes, randomness: Randomness) -> SealedBody:
    """Pad and seal ``plaintext`` under a fresh key; raises LocalError ``body-too-large``."""
    padded = pad(plaintext, BODY_PADDED_MIN)
    if len(padded) + _OVERHEAD > BODY_MAX:
        raise LocalError(
            "body-too-large",
            f"The message has {len(plaintext)} bytes; it no longer fits the {BODY_MAX} allowed.",
            "Send it in several messages.",
        )
    body_key = SecretBytes.generate(BODY_KEY_LENGTH, randomness)
    nonce = randomness(AEAD_NONCE_LENGTH)
    ciphertext = provider().aead_seal(body_key, nonce, padded, FORMAT)
    sealed = FORMAT + _commitment(body_key, nonce) + nonce + ciphertext
    return SealedBody(body_key, hash_body(sealed), sealed)


def open_body(sealed: bytes, *, body_key: bytes, body_hash: bytes) -> bytes:
    """Return the plaintext; raises RemoteError and names the first check that failed.

    ``body-swapped``: not the body that the sender sealed this key for. ``body-format``: of
    another version or cut short. ``body-uncommitted``: the key is not the one that the body
    commits to. ``body-damaged``: sealed wrongly under the right key.
    """
    if not hashes.equal(hash_body(sealed), body_hash):
        raise RemoteError("body-swapped", "The message is not the one its sender sealed.")
    if not sealed.startswith(FORMAT) or not _OVERHEAD <= len(sealed) <= BODY_MAX:
        raise RemoteError("body-format", "The message has a form this version does not know.")
    nonce = sealed[_NONCE_AT:_CIPHERTEXT_AT]
    if not hashes.equal(_commitment(body_key, nonce), sealed[len(FORMAT) : _NONCE_AT]):
        raise RemoteError("body-uncommitted", "The message does not belong to its key.")
    try:
        padded = provider().aead_open(body_key, nonce, sealed[_CIPHERTEXT_AT:], FORMAT)
    except CryptoError as error:
        raise RemoteError("body-damaged", "The message was damaged before it was sent.") from error
    return unpad(padded)


def hash_body(sealed: bytes) -> bytes:
    """Return the hash (32) by which a sealed body is named."""
    return hashes.blake2b_256(labels.BODY_HASH, sealed)


def _commitment(body_key: bytes, nonce: bytes) -> bytes:
    return hashes.blake2b_256(labels.BODY_COMMITMENT, nonce, FORMAT, key=body_key)
