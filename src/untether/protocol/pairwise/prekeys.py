"""Prekeys, always in pairs of one X25519 and one ML-KEM-768 key (spec 04, "Prekeys").

Two types: the *rotating* pair (replaced weekly; its KEM key is the last resort) and *one-time*
pairs, of which the relay hands out each once. The device signs every pair for its own account
key and number, so a pair can't be moved to another device, type or place.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Final, NamedTuple

from msgspec import Meta

from untether.base.errors import RemoteError
from untether.base.identifiers import SECOND_MS, UnixMillis
from untether.base.limits import LIST_BODY_MAX, PREKEY_AGE_MAX_MS
from untether.base.randomness import Randomness
from untether.crypto import labels
from untether.crypto.provider import (
    MLKEM768_SEED_LENGTH,
    X25519_LENGTH,
    CryptoError,
    provider,
)
from untether.protocol.pairwise.parties import Party
from untether.wire.codec import Record, decode_canonical, encode
from untether.wire.fields import Bytes32, KemPublic, Millis, Uint53
from untether.wire.records import PrekeyBundle, PrekeyStock, SignedPrekey

PREKEY_ID_LENGTH: Final = 8
PrekeyId = Annotated[bytes, Meta(min_length=PREKEY_ID_LENGTH, max_length=PREKEY_ID_LENGTH)]
KemSeed = Annotated[bytes, Meta(min_length=MLKEM768_SEED_LENGTH, max_length=MLKEM768_SEED_LENGTH)]


class PrekeyType(Enum):
    """What a pair is for; part of what is signed."""

    ROTATING = "rotating"
    ONE_TIME = "one-time"


class PublicPrekeyPair(Record, frozen=True):
    """The signed body of a prekey pair."""

    type: PrekeyType
    id: PrekeyId
    x25519: Bytes32
    kem: KemPublic
    created_at: Millis
    serial: Uint53


class PeerPrekeys(NamedTuple):
    """Verified prekeys of one device, to start a session with."""

    rotating: PublicPrekeyPair
    one_time: PublicPrekeyPair | None


class VerifiedPair(NamedTuple):
    """A pair whose signature holds, with the bytes that were signed."""

    pair: PublicPrekeyPair
    signed: SignedPrekey


class VerifiedStock(NamedTuple):
    """A deposit whose signatures all hold."""

    rotating: VerifiedPair
    one_time: Sequence[VerifiedPair]


class PrekeyPairSecret(Record, frozen=True):
    """The private half, as its own device stores it."""

    type: PrekeyType
    id: PrekeyId
    x25519_seed: Bytes32
    kem_seed: KemSeed
    created_at: Millis
    serial: Uint53

    def __repr__(self) -> str:
        return f"<{self.type.value} prekey pair {self.id.hex()}>"

    def to_bytes(self) -> bytes:
        """Encode for the device's own store."""
        return encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> PrekeyPairSecret:
        """Decode what :meth:`to_bytes` wrote."""
        return decode_canonical(data, cls, size_max=LIST_BODY_MAX)


def generate_rotating(
    previous_serial: int, now: UnixMillis, randomness: Randomness
) -> PrekeyPairSecret:
    """Make the next rotating pair.

    Its serial exceeds the previous one and is at least the current second, so that a device
    restored from a copy still goes forward.
    """
    serial = max(previous_serial + 1, now // SECOND_MS)
    return _generate(PrekeyType.ROTATING, serial, now, randomness)


def generate_one_time(now: UnixMillis, randomness: Randomness) -> PrekeyPairSecret:
    """Make a one-time pair; it has no serial (0), since each is used once at most."""
    return _generate(PrekeyType.ONE_TIME, 0, now, randomness)


def _generate(
    prekey_type: PrekeyType, serial: int, now: UnixMillis, randomness: Randomness
) -> PrekeyPairSecret:
    return PrekeyPairSecret(
        type=prekey_type,
        id=randomness(PREKEY_ID_LENGTH),
        x25519_seed=randomness(X25519_LENGTH),
        kem_seed=randomness(MLKEM768_SEED_LENGTH),
        created_at=now,
        serial=serial,
    )


def sign(secret: PrekeyPairSecret, owner: Party, signing_seed: bytes) -> SignedPrekey:
    """Sign the public half for the relay, as the device ``owner``."""
    crypto = provider()
    body = encode(
        PublicPrekeyPair(
            type=secret.type,
            id=secret.id,
            x25519=crypto.x25519_public(secret.x25519_seed),
            kem=crypto.mlkem768_public(secret.kem_seed),
            created_at=secret.created_at,
            serial=secret.serial,
        )
    )
    signature = crypto.ed25519_sign(signing_seed, labels.PREKEY + owner.address + body)
    return SignedPrekey(body=body, signature=signature)


def verify(signed: SignedPrekey, owner: Party, expected: PrekeyType) -> PublicPrekeyPair:
    """Return the pair; raises RemoteError unless ``owner`` signed it for this use.

    ``prekey-signature``: not signed by this device. ``prekey-type``: signed for another use.
    ``malformed``, ``not-canonical``: not a pair at all, e.g. without its KEM key.
    """
    try:
        provider().ed25519_verify(
            owner.signing_key, labels.PREKEY + owner.address + signed.body, signed.signature
        )
    except CryptoError as error:
        raise RemoteError(
            "prekey-signature", "A key for starting a conversation is not signed by its device."
        ) from error
    pair = decode_canonical(signed.body, PublicPrekeyPair, size_max=LIST_BODY_MAX)
    if pair.type is not expected:
        raise RemoteError(
            "prekey-type", "A key for starting a conversation was served in a wrong place."
        )
    return pair


def verify_bundle(bundle: PrekeyBundle, owner: Party) -> PeerPrekeys:
    """Return what a claim handed out for ``owner``, verified as :func:`verify` does."""
    return PeerPrekeys(
        verify(bundle.rotating, owner, PrekeyType.ROTATING),
        verify(bundle.one_time, owner, PrekeyType.ONE_TIME) if bundle.one_time else None,
    )


def verify_stock(stock: PrekeyStock, owner: Party) -> VerifiedStock:
    """Return what ``owner`` deposits or brings along, verified as :func:`verify` does."""
    return VerifiedStock(
        VerifiedPair(verify(stock.rotating, owner, PrekeyType.ROTATING), stock.rotating),
        [
            VerifiedPair(verify(signed, owner, PrekeyType.ONE_TIME), signed)
            for signed in stock.one_time
        ],
    )


def check_serial(pair: PublicPrekeyPair, newest_seen: int) -> None:
    """Raise RemoteError ``prekey-rolled-back`` for a rotating pair older than one seen."""
    if pair.serial < newest_seen:
        raise RemoteError(
            "prekey-rolled-back",
            "The relay served an older key than it did before.",
            serial=pair.serial,
            newest_seen=newest_seen,
        )


def is_asleep(pair: PublicPrekeyPair, now: UnixMillis) -> bool:
    """Tell whether the pair is so old that its device must have been away for weeks."""
    return now - pair.created_at > PREKEY_AGE_MAX_MS
