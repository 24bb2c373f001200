"""Prekeys belong to one device, one use and one time (spec 04, "Prekeys")."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tests.unit.pairwise.pairwise_people import START, Endpoint

from untether.base.errors import RemoteError
from untether.base.identifiers import DAY_MS, SECOND_MS, DeviceNumber, UnixMillis
from untether.base.limits import PREKEY_AGE_MAX_MS
from untether.crypto import labels
from untether.crypto.provider import provider
from untether.protocol.pairwise import prekeys
from untether.protocol.pairwise.parties import Party
from untether.protocol.pairwise.prekeys import (
    PrekeyPairSecret,
    PrekeyType,
    PublicPrekeyPair,
    check_serial,
    generate_one_time,
    generate_rotating,
    is_asleep,
    verify,
)
from untether.wire.codec import encode
from untether.wire.records import SignedPrekey


def test_a_bundle_is_verified(bob: Endpoint) -> None:
    """What Bob deposits, Alice can use."""
    pair = bob.prekeys()
    assert pair.rotating.id == bob.rotating.id
    assert pair.rotating.x25519 == provider().x25519_public(bob.rotating.x25519_seed)
    assert pair.rotating.kem == provider().mlkem768_public(bob.rotating.kem_seed)
    assert pair.one_time is not None
    assert pair.one_time.serial == 0
    assert bob.prekeys(one_time=False).one_time is None


def test_a_secret_pair_is_stored_and_read(bob: Endpoint) -> None:
    """Both types survive the store, and none prints its seeds."""
    for pair in (bob.rotating, generate_one_time(START, bob.randomness)):
        assert PrekeyPairSecret.from_bytes(pair.to_bytes()) == pair
        assert pair.x25519_seed.hex() not in repr(pair)


def test_ids_are_random() -> None:
    """Ids tell neither an order nor how many there were."""
    bob = Endpoint("bob")
    pairs = [generate_one_time(START, bob.randomness) for _ in range(50)]
    assert len({pair.id for pair in pairs}) == 50
    assert [pair.id for pair in pairs] != sorted(pair.id for pair in pairs)


def test_serials_go_forward_also_after_a_restored_copy(bob: Endpoint) -> None:
    """At least the second of its making, at least one more than before."""
    assert bob.rotating.serial == START // SECOND_MS
    following = generate_rotating(bob.rotating.serial, START, bob.randomness)
    assert following.serial == bob.rotating.serial + 1
    restored = generate_rotating(7, UnixMillis(START + DAY_MS), bob.randomness)
    assert restored.serial > following.serial


@pytest.mark.parametrize(
    "other",
    [
        lambda bob: bob._replace(account_key=bytes(32)),
        lambda bob: bob._replace(device=DeviceNumber(4)),
        lambda bob: bob._replace(signing_key=Endpoint("eve").party.signing_key),
    ],
    ids=["account", "device", "keys"],
)
def test_a_prekey_cannot_be_moved(bob: Endpoint, other: Callable[[Party], Party]) -> None:
    """Not to another account, not to another device, not to other device keys."""
    signed = bob.bundle().rotating
    with pytest.raises(RemoteError) as caught:
        verify(signed, other(bob.party), PrekeyType.ROTATING)
    assert caught.value.code == "prekey-signature"


def test_a_prekey_cannot_change_its_use(bob: Endpoint) -> None:
    """A one-time pair is not served as the rotating one, nor the other way round."""
    bundle = bob.bundle()
    assert bundle.one_time is not None
    for signed, expected in (
        (bundle.rotating, PrekeyType.ONE_TIME),
        (bundle.one_time, PrekeyType.ROTATING),
    ):
        with pytest.raises(RemoteError) as caught:
            verify(signed, bob.party, expected)
        assert caught.value.code == "prekey-type"


def sign_body(bob: Endpoint, body: bytes) -> SignedPrekey:
    """Sign any bytes as a prekey."""
    message = labels.PREKEY + bob.party.address + body
    return SignedPrekey(body=body, signature=provider().ed25519_sign(bob.signing_seed, message))


def test_a_pair_without_kem_key_is_refused(bob: Endpoint) -> None:
    """No classic session, whoever asks for it: even signed, such a pair is none."""
    pair = bob.prekeys().rotating
    for body in (
        encode([pair.type, pair.id, pair.x25519, b"", pair.created_at, pair.serial]),
        encode([pair.type, pair.id, pair.x25519, pair.created_at, pair.serial]),
    ):
        with pytest.raises(RemoteError) as caught:
            verify(sign_body(bob, body), bob.party, PrekeyType.ROTATING)
        assert caught.value.code == "malformed"


def test_a_second_spelling_is_refused(bob: Endpoint) -> None:
    """A signed pair has one spelling: the type in the longer string form is another."""
    body = bob.bundle().rotating.body
    longer = body.replace(b"\xa8rotating", b"\xd9\x08rotating", 1)
    assert longer != body
    with pytest.raises(RemoteError) as caught:
        verify(sign_body(bob, longer), bob.party, PrekeyType.ROTATING)
    assert caught.value.code == "not-canonical"


def test_every_changed_byte_breaks_the_signature(bob: Endpoint) -> None:
    """Nothing of a signed pair can be changed on the way."""
    signed = bob.bundle().rotating
    for index in range(0, len(signed.body), 7):
        changed = bytearray(signed.body)
        changed[index] ^= 1
        with pytest.raises(RemoteError):
            verify(replace(signed, body=bytes(changed)), bob.party, PrekeyType.ROTATING)


def test_without_the_signature_a_relay_could_plant_its_own(
    bob: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: with the check switched off, Mallory's pair passes as Bob's."""
    planted = Endpoint("mallory").bundle().rotating
    with pytest.raises(RemoteError):
        verify(planted, bob.party, PrekeyType.ROTATING)

    class Credulous:
        def __getattr__(self, name: str) -> object:
            return getattr(provider(), name)

        def ed25519_verify(self, *_: bytes) -> None:
            """Accept everything."""

    monkeypatch.setattr(prekeys, "provider", Credulous)
    assert verify(planted, bob.party, PrekeyType.ROTATING).id != bob.rotating.id


def test_an_older_serial_is_refused(bob: Endpoint) -> None:
    """A relay can't go back to a pair whose private half may have leaked."""
    pair = bob.prekeys().rotating
    check_serial(pair, pair.serial)
    with pytest.raises(RemoteError) as caught:
        check_serial(pair, pair.serial + 1)
    assert caught.value.code == "prekey-rolled-back"


def test_a_device_away_for_weeks_is_asleep(bob: Endpoint) -> None:
    """At 45 days the pair is still taken, a moment later it is not."""
    pair: PublicPrekeyPair = bob.prekeys().rotating
    assert not is_asleep(pair, UnixMillis(START + PREKEY_AGE_MAX_MS))
    assert is_asleep(pair, UnixMillis(START + PREKEY_AGE_MAX_MS + 1))
