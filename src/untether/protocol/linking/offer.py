"""Sealing and opening the companion's offer (spec 03, "Offer").

The offer is sealed because it names a person's device. Its key comes from the link secret,
which only the QR code carries; the QR code also carries the hash of the sealed bytes, so the
phone refuses another offer before it decrypts anything.
"""

from __future__ import annotations

from untether.base.errors import RemoteError
from untether.base.identifiers import RelayId, SlotId, UnixMillis
from untether.base.limits import CLOCK_WARNING_MS, LINK_OFFER_MAX, LINK_SLOT_MS
from untether.base.padding import pad, unpad
from untether.base.randomness import Randomness
from untether.crypto import hashes, labels
from untether.crypto.provider import (
    AEAD_NONCE_LENGTH,
    AEAD_TAG_LENGTH,
    CryptoError,
    provider,
)
from untether.protocol.linking.failures import link_error
from untether.protocol.linking.link_text import LinkText
from untether.wire.codec import decode, encode
from untether.wire.link_offer import LinkOffer

_PADDED = LINK_OFFER_MAX - AEAD_NONCE_LENGTH - AEAD_TAG_LENGTH


def offer_hash(sealed: bytes) -> bytes:
    """Hash a sealed offer for the link text (32 bytes)."""
    return hashes.blake2b_256(labels.LINK_OFFER_HASH, sealed)


def seal_offer(
    offer: LinkOffer,
    relay_id: RelayId,
    slot_id: SlotId,
    link_secret: bytes,
    randomness: Randomness,
) -> bytes:
    """Seal an offer for one slot of one relay: nonce ‖ ciphertext, always LINK_OFFER_MAX bytes."""
    nonce = randomness(AEAD_NONCE_LENGTH)
    key = _offer_key(relay_id, slot_id, link_secret)
    return nonce + provider().aead_seal(key, nonce, pad(encode(offer), _PADDED), b"")


def open_offer(sealed: bytes, text: LinkText) -> LinkOffer:
    """Open the offer that a link text names; ``link-tampered`` if the companion did not seal it."""
    check_offer_hash(sealed, text)
    key = _offer_key(text.relay_id, text.slot_id, text.link_secret)
    nonce, ciphertext = sealed[:AEAD_NONCE_LENGTH], sealed[AEAD_NONCE_LENGTH:]
    try:
        padded = provider().aead_open(key, nonce, ciphertext, b"")
        return decode(unpad(padded), LinkOffer, size_max=LINK_OFFER_MAX)
    except (CryptoError, RemoteError) as error:
        raise link_error("link-tampered") from error


def check_offer_hash(sealed: bytes, text: LinkText) -> None:
    """Raise ``link-tampered`` unless these are the bytes that the link text names."""
    if not hashes.equal(offer_hash(sealed), text.offer_hash):
        raise link_error("link-tampered")


def check_offer_time(offer: LinkOffer, now: UnixMillis) -> None:
    """Raise ``link-expired`` when its end has passed, ``link-clock`` when no slot lives so long.

    Clocks may differ by CLOCK_WARNING_MS.
    """
    if now > offer.expires_at + CLOCK_WARNING_MS:
        raise link_error("link-expired")
    if now < offer.expires_at - LINK_SLOT_MS - CLOCK_WARNING_MS:
        raise link_error("link-clock")


def _offer_key(relay_id: RelayId, slot_id: SlotId, link_secret: bytes) -> bytes:
    info = labels.LINK_OFFER_KEY + relay_id + slot_id
    return hashes.hkdf_sha256(salt=b"", ikm=link_secret, info=info, length=32)
