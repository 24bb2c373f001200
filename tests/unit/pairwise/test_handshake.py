"""A handshake works between exactly the two devices that it names (spec 04, "Handshake")."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tests.unit.pairwise.pairwise_people import Endpoint

from untether.base.identifiers import DeviceNumber
from untether.base.limits import HEADER_MAX
from untether.crypto.provider import provider
from untether.protocol.pairwise import handshake as handshakes
from untether.protocol.pairwise.errors import BadMessageError, PrekeyGoneError
from untether.protocol.pairwise.handshake import PREFIX_LENGTH, Handshake, initiate, respond
from untether.protocol.pairwise.parties import Ends, Party


@pytest.mark.parametrize("one_time", [True, False])
def test_both_ends_derive_one_root(alice: Endpoint, bob: Endpoint, one_time: bool) -> None:
    """With a one-time pair and without: what Alice seals first, Bob opens."""
    alice.start(bob, one_time=one_time)
    opened = bob.open(alice, alice.seal(bob, b"hello"))
    assert opened.payload == b"hello"
    assert opened.started is not None
    assert (opened.started.one_time_id is not None) is one_time


def test_a_first_message_fits_a_header(alice: Endpoint, bob: Endpoint) -> None:
    """The relay takes 4 KiB per device: prefix, message and a sealed key are far below."""
    alice.start(bob)
    assert len(alice.seal(bob, bytes(160))) == PREFIX_LENGTH + 69 + 160 < HEADER_MAX


def test_no_byte_of_the_prefix_can_be_changed(alice: Endpoint, bob: Endpoint) -> None:
    """Ids, flag, base key and KEM ciphertext are all bound; a refusal changes nothing."""
    alice.start(bob)
    message = alice.seal(bob, b"hello")
    before = bob.snapshot()
    for index in [*range(1, 70), *range(70, len(message), 31)]:
        changed = message[:index] + bytes([message[index] ^ 1]) + message[index + 1 :]
        with pytest.raises((BadMessageError, PrekeyGoneError)):
            bob.open(alice, changed)
        assert bob.snapshot() == before
    assert bob.open(alice, message).payload == b"hello"


OTHERS: list[Callable[[Party], Party]] = [
    lambda party: party._replace(account_key=bytes(32)),
    lambda party: party._replace(device=DeviceNumber(party.device + 1)),
    lambda party: party._replace(signing_key=bytes(32)),
    lambda party: party._replace(agreement_key=Endpoint("eve").party.agreement_key),
]
NAMES = ["account key", "number", "signing key", "agreement key"]


@pytest.mark.parametrize("other", OTHERS, ids=NAMES)
@pytest.mark.parametrize("whose", ["initiator", "responder"])
def test_ends_that_see_other_keys_share_nothing(
    alice: Endpoint, bob: Endpoint, whose: str, other: Callable[[Party], Party]
) -> None:
    """Unknown key share: each of the eight values on both sides is hashed into the root."""
    prekeys = bob.prekeys()
    _, prefix = initiate(alice.ends(bob), prekeys, 7, alice.randomness)
    assert prekeys.one_time is not None
    secrets = bob.rotating, bob.one_time[prekeys.one_time.id]
    handshake = Handshake.from_bytes(prefix)
    honest = respond(bob.ends(alice), *secrets, handshake)
    own, peer = bob.party, alice.party
    if whose == "initiator":
        peer = other(peer)
    else:
        own = other(own)
    misled = respond(Ends.between(own, bob.agreement_seed, peer), *secrets, handshake)
    assert misled.root_key != honest.root_key


def test_without_the_transcript_an_unknown_key_share_would_work(
    alice: Endpoint, bob: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: with a constant transcript, Bob shares Alice's root while believing another name."""
    monkeypatch.setattr(handshakes, "_transcript", lambda **_: b"")
    prekeys = bob.prekeys(one_time=False)
    _, prefix = initiate(alice.ends(bob), prekeys, 7, alice.randomness)
    handshake = Handshake.from_bytes(prefix)
    honest = respond(bob.ends(alice), bob.rotating, None, handshake)
    renamed = alice.party._replace(account_key=bytes(32), device=DeviceNumber(9))
    ends = Ends.between(bob.party, bob.agreement_seed, renamed)
    assert respond(ends, bob.rotating, None, handshake) == honest


@pytest.mark.parametrize("part", range(5))
def test_each_secret_is_needed(
    alice: Endpoint, bob: Endpoint, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four agreements and the KEM secret: whoever lacks one of them has another root."""
    prekeys = bob.prekeys()
    _, prefix = initiate(alice.ends(bob), prekeys, 7, alice.randomness)
    assert prekeys.one_time is not None
    secrets = bob.rotating, bob.one_time[prekeys.one_time.id]
    handshake = Handshake.from_bytes(prefix)
    honest = respond(bob.ends(alice), *secrets, handshake)
    derive = handshakes._derive_root

    def without_one(parts: list[bytes], transcript: bytes) -> bytes:
        assert len(parts) == 5
        parts[part] = bytes(32)
        return derive(parts, transcript)

    monkeypatch.setattr(handshakes, "_derive_root", without_one)
    assert respond(bob.ends(alice), *secrets, handshake).root_key != honest.root_key


def test_an_eavesdropper_with_all_public_values_has_another_root(
    alice: Endpoint, bob: Endpoint
) -> None:
    """Eve answers with her own agreement key in Bob's place, everything else being equal."""
    _, prefix = initiate(alice.ends(bob), bob.prekeys(one_time=False), 7, alice.randomness)
    handshake = Handshake.from_bytes(prefix)
    honest = respond(bob.ends(alice), bob.rotating, None, handshake)
    eve = Ends.between(bob.party, Endpoint("eve").agreement_seed, alice.party)
    assert respond(eve, bob.rotating, None, handshake).root_key != honest.root_key


def test_small_order_keys_are_refused_on_both_sides(alice: Endpoint, bob: Endpoint) -> None:
    """A secret that anybody can compute is not taken: all-zero results are refused."""
    prekeys = bob.prekeys(one_time=False)
    weak = prekeys._replace(rotating=replace(prekeys.rotating, x25519=bytes(32)))
    with pytest.raises(BadMessageError):
        initiate(alice.ends(bob), weak, 7, alice.randomness)
    _, prefix = initiate(alice.ends(bob), prekeys, 7, alice.randomness)
    handshake = Handshake.from_bytes(prefix)._replace(base_key=bytes(32))
    with pytest.raises(BadMessageError):
        respond(bob.ends(alice), bob.rotating, None, handshake)


def test_a_kem_key_that_is_no_key_is_refused(alice: Endpoint, bob: Endpoint) -> None:
    """FIPS 203's check of the encapsulation key is made."""
    prekeys = bob.prekeys(one_time=False)
    weak = prekeys._replace(rotating=replace(prekeys.rotating, kem=b"\xff" * 1184))
    with pytest.raises(BadMessageError):
        initiate(alice.ends(bob), weak, 7, alice.randomness)


def test_a_prefix_has_one_spelling(alice: Endpoint, bob: Endpoint) -> None:
    """Without a one-time pair its id is zero; a flag is 0 or 1."""
    _, prefix = initiate(alice.ends(bob), bob.prekeys(one_time=False), 7, alice.randomness)
    assert prefix[17:26] == bytes(9)
    for changed in (
        prefix[:17] + b"\2" + prefix[18:],
        prefix[:20] + b"\1" + prefix[21:],
        prefix[:-1],
    ):
        with pytest.raises(BadMessageError):
            Handshake.from_bytes(changed)


def test_the_ephemeral_is_not_the_first_ratchet_key(alice: Endpoint, bob: Endpoint) -> None:
    """What Alice must keep until the answer comes does not help to recompute the handshake."""
    state, prefix = initiate(alice.ends(bob), bob.prekeys(), 7, alice.randomness)
    base_key = Handshake.from_bytes(prefix).base_key
    assert state.sending.ratchet_key != base_key
    assert provider().x25519_public(state.root.ratchet_seed) == state.sending.ratchet_key
