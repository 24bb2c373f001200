"""The sealed channel through a link slot (spec 03, "Channel").

Theory of operation. Phone and companion share two things that the relay lacks: the link secret,
shown from screen to camera, and the X25519 secret of two ephemerals. Both feed one derivation.
Someone who photographs the QR code lacks the second, and a future quantum computer the first.

The derivation gives one key per direction, so an item sent back to its sender opens nowhere.
It binds relay, slot, offer hash and both ephemerals, so an item of another slot opens nowhere.
The place of an item is its associated data, so an item opens in its own place only. A slot
takes one item per place, so there is nothing else to count.

A companion that gives up before it has read an answer shares no ephemerals with a phone yet. It
withdraws by a refusal under a key of the link secret alone (:func:`withdrawal_channel`).

The answer is the first item, and only then does the companion learn the phone's ephemeral;
therefore it stands before that item, in the clear. A relay that changes it changes the keys.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, cast

from msgspec import Struct

from untether.base.errors import RemoteError
from untether.base.limits import LINK_ITEM_MAX, LINK_ITEM_PADDED_MIN
from untether.base.padding import pad, unpad
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes
from untether.crypto import hashes, labels
from untether.crypto.provider import AEAD_NONCE_LENGTH, X25519_LENGTH, CryptoError, provider
from untether.protocol.linking.failures import link_error
from untether.protocol.linking.link_text import LinkText
from untether.wire.codec import decode, encode
from untether.wire.link_offer import LinkIndex, LinkItemRecord

_KEY_LENGTH: Final = 32
_SCHEMA: Final = cast("type[LinkItemRecord]", LinkItemRecord)  # a union is no class to mypy


class Direction(IntEnum):
    """Who seals."""

    PHONE_TO_COMPANION = 1
    COMPANION_TO_PHONE = 2


class LinkChannel(Struct, frozen=True):
    """One end of the channel: seals with one key, opens with the other."""

    sending_key: SecretBytes
    receiving_key: SecretBytes

    def seal(self, index: LinkIndex, record: LinkItemRecord, randomness: Randomness) -> bytes:
        """Seal a record for its place: nonce ‖ ciphertext, padded."""
        nonce = randomness(AEAD_NONCE_LENGTH)
        padded = pad(encode(record), LINK_ITEM_PADDED_MIN)
        return nonce + provider().aead_seal(self.sending_key, nonce, padded, _place(index))

    def open(self, index: LinkIndex, sealed: bytes) -> LinkItemRecord:
        """Open what stands in a place; ``link-tampered`` when it is not from there."""
        nonce, ciphertext = sealed[:AEAD_NONCE_LENGTH], sealed[AEAD_NONCE_LENGTH:]
        try:
            padded = provider().aead_open(self.receiving_key, nonce, ciphertext, _place(index))
            return decode(unpad(padded), _SCHEMA, size_max=LINK_ITEM_MAX)
        except (CryptoError, RemoteError) as error:
            raise link_error("link-tampered") from error


def phone_channel(text: LinkText, ephemeral_seed: bytes, companion_ephemeral: bytes) -> LinkChannel:
    """Return the phone's end; ``link-tampered`` for an ephemeral that is no X25519 key."""
    crypto = provider()
    shared = _shared_secret(ephemeral_seed, companion_ephemeral)
    ephemerals = companion_ephemeral + crypto.x25519_public(ephemeral_seed)
    return LinkChannel(
        sending_key=_key(Direction.PHONE_TO_COMPANION, text, shared, ephemerals),
        receiving_key=_key(Direction.COMPANION_TO_PHONE, text, shared, ephemerals),
    )


def companion_channel(text: LinkText, ephemeral_seed: bytes, phone_ephemeral: bytes) -> LinkChannel:
    """Return the companion's end; ``link-tampered`` for an ephemeral that is no X25519 key."""
    crypto = provider()
    shared = _shared_secret(ephemeral_seed, phone_ephemeral)
    ephemerals = crypto.x25519_public(ephemeral_seed) + phone_ephemeral
    return LinkChannel(
        sending_key=_key(Direction.COMPANION_TO_PHONE, text, shared, ephemerals),
        receiving_key=_key(Direction.PHONE_TO_COMPANION, text, shared, ephemerals),
    )


def withdrawal_channel(text: LinkText) -> LinkChannel:
    """Return the channel, the same at both ends, in which nothing but a refusal counts."""
    info = b"".join((labels.LINK_WITHDRAWAL, text.relay_id, text.slot_id, text.offer_hash))
    key = _derived(text.link_secret, info)
    return LinkChannel(sending_key=key, receiving_key=key)


def split_answer(item: bytes) -> tuple[bytes, bytes]:
    """Split the item at place 1 into the phone's ephemeral and the sealed answer."""
    return item[:X25519_LENGTH], item[X25519_LENGTH:]


def _direction(direction: Direction) -> bytes:
    return bytes([direction])


def _place(index: LinkIndex) -> bytes:
    return bytes([index])


def _shared_secret(seed: bytes, public: bytes) -> bytes:
    try:
        return provider().x25519_shared(seed, public)
    except CryptoError as error:
        raise link_error("link-tampered") from error


def _key(direction: Direction, text: LinkText, shared: bytes, ephemerals: bytes) -> SecretBytes:
    info = b"".join(
        (
            labels.LINK_CHANNEL,
            _direction(direction),
            text.relay_id,
            text.slot_id,
            text.offer_hash,
            ephemerals,
        )
    )
    return _derived(text.link_secret + shared, info)


def _derived(ikm: bytes, info: bytes) -> SecretBytes:
    return SecretBytes(hashes.hkdf_sha256(salt=b"", ikm=ikm, info=info, length=_KEY_LENGTH))
