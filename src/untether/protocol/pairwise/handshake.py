"""The handshake that starts a session: PQXDH (spec 04, "Handshake").

The initiator needs only the peer's prekeys, not the peer itself: four X25519 agreements and one
ML-KEM-768 secret give the root key. Everything that either side said or assumed about the
other is hashed into the derivation, so two devices that saw different keys, numbers, roles or
prekeys derive different root keys and nothing opens.

The ephemeral key is deleted at once and is *not* the first ratchet key: a ratchet key must be
kept until the peer answers, and whoever steals it meanwhile would recompute three of the four
agreements.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from untether.base.randomness import Randomness
from untether.crypto import hashes, labels
from untether.crypto.provider import (
    MLKEM768_CIPHERTEXT_LENGTH,
    X25519_LENGTH,
    CryptoError,
    provider,
)
from untether.protocol.pairwise.errors import BadMessageError
from untether.protocol.pairwise.parties import Ends, Party
from untether.protocol.pairwise.prekeys import (
    PREKEY_ID_LENGTH,
    PeerPrekeys,
    PrekeyPairSecret,
)
from untether.protocol.pairwise.ratchet import start_sending
from untether.protocol.pairwise.ratchet_state import RatchetState, Root

VERSION: Final = b"\x02"
SUITE: Final = b"\x01"
_ROOT_KEY_LENGTH: Final = 32
_NO_ID: Final = bytes(PREKEY_ID_LENGTH)
_NO_KEY: Final = bytes(X25519_LENGTH)
_prefix = Struct(
    f">cQ{PREKEY_ID_LENGTH}s?{PREKEY_ID_LENGTH}s{X25519_LENGTH}s{MLKEM768_CIPHERTEXT_LENGTH}s"
)

PREFIX_LENGTH: Final = _prefix.size


class Handshake(NamedTuple):
    """What precedes each message of a session until the peer answers."""

    rotating_id: bytes
    one_time_id: bytes | None
    base_key: bytes
    kem_ciphertext: bytes
    number: int

    def to_bytes(self) -> bytes:
        """Version ‖ number ‖ rotating id ‖ flag ‖ one-time id ‖ base key ‖ KEM ciphertext."""
        one_time_id = self.one_time_id
        return _prefix.pack(
            VERSION,
            self.number,
            self.rotating_id,
            one_time_id is not None,
            _NO_ID if one_time_id is None else one_time_id,
            self.base_key,
            self.kem_ciphertext,
        )

    @classmethod
    def from_bytes(cls, prefix: bytes) -> Handshake:
        """Read what :meth:`to_bytes` wrote; raises BadMessageError for any other spelling."""
        if len(prefix) != PREFIX_LENGTH:
            raise BadMessageError("it is cut short")
        _, number, rotating_id, flag, one_time_id, base_key, ciphertext = _prefix.unpack(prefix)
        one_time_id = one_time_id if flag else None
        handshake = cls(rotating_id, one_time_id, base_key, ciphertext, number)
        if handshake.to_bytes() != prefix:
            raise BadMessageError("its start has a form unknown here")
        return handshake


def session_id(prefix: bytes) -> bytes:
    """Name (16 bytes) the session that this prefix starts."""
    return hashes.blake2b_128(labels.SESSION_ID, prefix)


def initiate(
    ends: Ends, prekeys: PeerPrekeys, number: int, randomness: Randomness
) -> tuple[RatchetState, bytes]:
    """Start a session with verified prekeys of the peer: state, and prefix of its messages.

    ``number`` orders the sessions of two devices (spec 04, "Session book").
    Raises BadMessageError when a prekey is no good key.
    """
    crypto = provider()
    rotating, one_time = prekeys
    ephemeral = randomness(X25519_LENGTH)
    try:
        kem_secret, kem_ciphertext = crypto.mlkem768_encapsulate((one_time or rotating).kem)
        secrets = [
            crypto.x25519_shared(ends.agreement_seed, rotating.x25519),
            crypto.x25519_shared(ephemeral, ends.peer.agreement_key),
            crypto.x25519_shared(ephemeral, rotating.x25519),
        ]
        if one_time is not None:
            secrets.append(crypto.x25519_shared(ephemeral, one_time.x25519))
    except CryptoError as error:
        raise BadMessageError("a key for starting a conversation is no good key") from error
    handshake = Handshake(
        rotating.id,
        one_time.id if one_time else None,
        crypto.x25519_public(ephemeral),
        kem_ciphertext,
        number,
    )
    transcript = _transcript(
        initiator=ends.own,
        responder=ends.peer,
        prekeys=(
            rotating.x25519,
            one_time.x25519 if one_time else _NO_KEY,
            (one_time or rotating).kem,
        ),
        handshake=handshake,
    )
    root_key = _derive_root([*secrets, kem_secret], transcript)
    return start_sending(root_key, rotating.x25519, randomness), handshake.to_bytes()


def respond(
    ends: Ends,
    rotating: PrekeyPairSecret,
    one_time: PrekeyPairSecret | None,
    handshake: Handshake,
) -> Root:
    """Derive the root that the peer derived; the prekeys are those that ``handshake`` names.

    Raises BadMessageError when a key in the handshake is no good key. Only the first message proves
    that the root is shared.
    """
    crypto = provider()
    base_key = handshake.base_key
    try:
        secrets = [
            crypto.x25519_shared(rotating.x25519_seed, ends.peer.agreement_key),
            crypto.x25519_shared(ends.agreement_seed, base_key),
            crypto.x25519_shared(rotating.x25519_seed, base_key),
        ]
        if one_time is not None:
            secrets.append(crypto.x25519_shared(one_time.x25519_seed, base_key))
    except CryptoError as error:
        raise BadMessageError("its start holds a key that is no good key") from error
    kem_seed = (one_time or rotating).kem_seed
    transcript = _transcript(
        initiator=ends.peer,
        responder=ends.own,
        prekeys=(
            crypto.x25519_public(rotating.x25519_seed),
            crypto.x25519_public(one_time.x25519_seed) if one_time else _NO_KEY,
            crypto.mlkem768_public(kem_seed),
        ),
        handshake=handshake,
    )
    kem_secret = crypto.mlkem768_decapsulate(kem_seed, handshake.kem_ciphertext)
    return Root(_derive_root([*secrets, kem_secret], transcript), rotating.x25519_seed)


def _transcript(
    *, initiator: Party, responder: Party, prekeys: tuple[bytes, ...], handshake: Handshake
) -> bytes:
    """Hash everything both sides must agree on; every field has a fixed length.

    ``prekeys`` are the rotating X25519 key, the one-time one or zeros, and the KEM key.
    """
    return hashes.blake2b_256(
        labels.HANDSHAKE_TRANSCRIPT,
        SUITE,
        initiator.address,
        initiator.signing_key,
        initiator.agreement_key,
        responder.address,
        responder.signing_key,
        responder.agreement_key,
        *prekeys,
        handshake.to_bytes(),
    )


def _derive_root(secrets: list[bytes], transcript: bytes) -> bytes:
    return hashes.hkdf_sha256(
        salt=b"",
        ikm=b"".join(secrets),
        info=labels.HANDSHAKE_KEYS + transcript,
        length=_ROOT_KEY_LENGTH,
    )
