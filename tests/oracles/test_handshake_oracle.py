"""The handshake against a second derivation, written from the page alone (spec 04).

Random keys, with and without a one-time pair, in both roles: what the product starts, the other
derives, and the other way round.
"""

from __future__ import annotations

from random import Random

import pytest
from tests.oracles import handshake_by_the_page as page
from tests.oracles.curve25519 import x25519, x25519_public

from untether.base.identifiers import DeviceNumber, UnixMillis
from untether.base.secret_bytes import SecretBytes
from untether.crypto.provider import provider
from untether.protocol.pairwise import handshake, prekeys
from untether.protocol.pairwise.errors import BadMessageError
from untether.protocol.pairwise.parties import Ends, Party
from untether.protocol.pairwise.prekeys import PeerPrekeys, PrekeyPairSecret, PrekeyType
from untether.protocol.pairwise.ratchet_state import RatchetState
from untether.wire.records import PrekeyBundle

SEEDS = 25
BOTH_KINDS = pytest.mark.parametrize("one_time", [True, False], ids=["one-time", "last resort"])


class Meeting:
    """Two devices with random keys, as the product and as the page know them."""

    def __init__(self, seed: int, *, one_time: bool) -> None:
        self.random = Random(f"handshake oracle {seed}")
        self.initiator, self.initiator_seeds = self._device()
        self.responder, self.responder_seeds = self._device()
        self.rotating = self._pair(PrekeyType.ROTATING)
        self.one_time = self._pair(PrekeyType.ONE_TIME) if one_time else None
        self.number = self.random.getrandbits(53)

    def _device(self) -> tuple[page.Identity, tuple[bytes, bytes]]:
        account_seed, signing_seed, agreement_seed = (self.random.randbytes(32) for _ in range(3))
        identity = page.Identity(
            provider().ed25519_public(account_seed),
            self.random.getrandbits(31),
            provider().ed25519_public(signing_seed),
            x25519_public(agreement_seed),
        )
        return identity, (signing_seed, agreement_seed)

    def _pair(self, kind: PrekeyType) -> PrekeyPairSecret:
        return PrekeyPairSecret(
            kind,
            self.random.randbytes(8),
            self.random.randbytes(32),
            self.random.randbytes(64),
            UnixMillis(1),
            0,
        )

    def ends(self, *, at_initiator: bool) -> Ends:
        """Both ends, as one of the product's devices sees them."""
        own, peer, seeds = self.initiator, self.responder, self.initiator_seeds
        if not at_initiator:
            own, peer, seeds = self.responder, self.initiator, self.responder_seeds
        return Ends.between(_party(own), SecretBytes(seeds[1]), _party(peer))

    def bundle(self) -> PeerPrekeys:
        """What the product's initiator is handed out, signed and verified."""
        owner, seed = _party(self.responder), self.responder_seeds[0]
        signed = prekeys.sign(self.rotating, owner, seed)
        one_time = prekeys.sign(self.one_time, owner, seed) if self.one_time else None
        return prekeys.verify_bundle(PrekeyBundle(owner.device, signed, one_time), owner)

    def responded_by_the_page(self, prefix: bytes) -> page.Outcome:
        """What the page's responder derives."""
        return page.respond(
            self.initiator,
            self.responder,
            self.responder_seeds[1],
            prefix,
            rotating=_private(self.rotating),
            one_time=_private(self.one_time) if self.one_time else None,
        )


def _party(identity: page.Identity) -> Party:
    return Party(
        identity.account_key,
        DeviceNumber(identity.number),
        identity.signing_key,
        identity.agreement_key,
    )


def _private(pair: PrekeyPairSecret) -> page.Pair:
    return page.Pair(pair.id, pair.x25519_seed, pair.kem_seed)


def _public(pair: PrekeyPairSecret) -> page.PublicPair:
    private = _private(pair)
    return page.PublicPair(pair.id, private.x25519, private.kem)


def agrees(state: RatchetState, peer_ratchet_key: bytes, root_key: bytes) -> bool:
    """Whether an initiator's state follows from a root key by the page's first turn."""
    shared = x25519(state.root.ratchet_seed, peer_ratchet_key)
    derived = page.hkdf(root_key, shared, page.label("ratchet-root"), 64)
    return derived == state.root.root_key + state.sending.chain_key


@BOTH_KINDS
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_page_responds_to_the_product(seed: int, one_time: bool) -> None:
    """Transcript, root key and session id agree; so does the first turn of the ratchet."""
    meeting = Meeting(seed, one_time=one_time)
    state, prefix = handshake.initiate(
        meeting.ends(at_initiator=True), meeting.bundle(), meeting.number, meeting.random.randbytes
    )
    outcome = meeting.responded_by_the_page(prefix)

    assert handshake.session_id(prefix) == outcome.session_id
    assert state.sending.ratchet_key == x25519_public(state.root.ratchet_seed)
    assert agrees(state, _public(meeting.rotating).x25519, outcome.root_key)


@BOTH_KINDS
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_product_responds_to_the_page(
    seed: int, one_time: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every byte of prefix and transcript, the root key and the session id agree."""
    meeting = Meeting(seed, one_time=one_time)
    outcome = page.initiate(
        meeting.initiator,
        meeting.initiator_seeds[1],
        meeting.responder,
        _public(meeting.rotating),
        _public(meeting.one_time) if meeting.one_time else None,
        number=meeting.number,
        ephemeral=meeting.random.randbytes(32),
    )
    transcripts: list[bytes] = []
    derive = handshake._derive_root

    def recording(secrets: list[bytes], transcript: bytes) -> bytes:
        transcripts.append(transcript)
        return derive(secrets, transcript)

    monkeypatch.setattr(handshake, "_derive_root", recording)
    read = handshake.Handshake.from_bytes(outcome.prefix)
    root = handshake.respond(
        meeting.ends(at_initiator=False), meeting.rotating, meeting.one_time, read
    )

    assert (read.number, read.one_time_id is not None) == (meeting.number, one_time)
    assert transcripts == [outcome.transcript]
    assert root.root_key == outcome.root_key
    assert root.ratchet_seed == meeting.rotating.x25519_seed
    assert handshake.session_id(outcome.prefix) == outcome.session_id


@BOTH_KINDS
def test_the_oracle_would_see_a_swapped_secret(
    one_time: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: a product that joins its secrets in another order derives another root key."""
    meeting = Meeting(0, one_time=one_time)
    derive = handshake._derive_root
    monkeypatch.setattr(
        handshake,
        "_derive_root",
        lambda secrets, transcript: derive([secrets[1], secrets[0], *secrets[2:]], transcript),
    )
    state, prefix = handshake.initiate(
        meeting.ends(at_initiator=True), meeting.bundle(), meeting.number, meeting.random.randbytes
    )
    outcome = meeting.responded_by_the_page(prefix)
    assert not agrees(state, _public(meeting.rotating).x25519, outcome.root_key)


@pytest.mark.parametrize("flag", [2, 255])
def test_a_second_spelling_of_the_flag_is_refused(flag: int) -> None:
    """The page knows 0 and 1."""
    prefix = page.spell_prefix(1, b"rotating", None, bytes(32), bytes(1_088))
    with pytest.raises(BadMessageError):
        handshake.Handshake.from_bytes(prefix[:17] + bytes([flag]) + prefix[18:])
