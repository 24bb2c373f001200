"""Prekeys that a relay strips, makes up or misplaces, and somebody who drains them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs
from tests.attacks.defences import CLAIM_LIMIT, PREKEY_SIGNATURE
from tests.attacks.ghost import OnePair
from tests.attacks.lying_relay import answering, hand_out
from tests.attacks.wiretap import Wiretap
from tests.conversations.list_views import context_of
from tests.world import World, WorldDevice
from tests.world_relay import Link

from untether.base.identifiers import DAY_MS, HOUR_MS
from untether.base.limits import (
    CLAIMS_PER_TARGET_BURST,
    CLAIMS_PER_TARGET_REFILL_MS,
    LIST_BODY_MAX,
    ONE_TIME_PREKEYS,
)
from untether.crypto.provider import provider
from untether.device.parties import own_party
from untether.device.store import prekeys
from untether.protocol.pairwise import session_book
from untether.protocol.pairwise.handshake import PREFIX_LENGTH, Handshake
from untether.protocol.pairwise.parties import Ends
from untether.protocol.pairwise.prekeys import PrekeyPairSecret, PrekeyType, PublicPrekeyPair
from untether.protocol.pairwise.session_book import Arrival
from untether.wire import codec
from untether.wire.client_frames import ClaimPrekeys, ClientFrame
from untether.wire.records import PrekeyBundle, SignedPrekey
from untether.wire.server_frames import Bundles, ServerFrame

RELAY_S_SEED = bytes(range(64))
Change = Callable[[PrekeyBundle], PrekeyBundle]


def pair_of(signed: SignedPrekey) -> PublicPrekeyPair:
    """Read a prekey pair."""
    return codec.decode(signed.body, PublicPrekeyPair, size_max=LIST_BODY_MAX)


def stripped(bundle: PrekeyBundle) -> PrekeyBundle:
    """Leave the post-quantum key out."""
    pair = pair_of(bundle.rotating)
    fields = (pair.type, pair.id, pair.x25519, b"", pair.created_at, pair.serial)
    rotating = structs.replace(bundle.rotating, body=codec.encode(fields))
    return structs.replace(bundle, rotating=rotating, one_time=None)


def with_the_relay_s_key(bundle: PrekeyBundle) -> PrekeyBundle:
    """Put the relay's own post-quantum key in place of the device's."""
    kem = provider().mlkem768_public(RELAY_S_SEED)
    body = codec.encode(structs.replace(pair_of(bundle.rotating), kem=kem))
    rotating = structs.replace(bundle.rotating, body=body)
    return structs.replace(bundle, rotating=rotating, one_time=None)


def misplaced(bundle: PrekeyBundle) -> PrekeyBundle:
    """Hand a one-time pair out as the rotating one, to be used again and again."""
    assert bundle.one_time is not None
    return structs.replace(bundle, rotating=bundle.one_time, one_time=None)


def write_first(world: World, change: Change) -> tuple[WorldDevice, WorldDevice, Wiretap]:
    """Let Carol write to Dave for the first time while the relay changes his prekeys."""
    carol, dave = world.register("carol"), world.register("dave")
    wiretap = Wiretap(world)
    with hand_out(world, change):
        carol.send("dave", "secret")
    return carol, dave, wiretap


@pytest.mark.parametrize("change", [stripped, with_the_relay_s_key, misplaced])
def test_no_session_starts_with_changed_prekeys(world: World, change: Change) -> None:
    """Neither without the post-quantum secret nor with another's: told, and tried again later."""
    carol, dave, wiretap = write_first(world, change)
    assert carol.notices() == ["prekeys-refused"]
    assert wiretap.copies() == []
    world.pass_time(DAY_MS + 1)
    assert dave.texts() == ["secret"]


def test_twin_without_the_signature_the_relay_knows_the_quantum_secret(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session begins that rests on elliptic curves alone, as recorded mail will tell one day."""
    PREKEY_SIGNATURE.switch_off(monkeypatch)
    carol, dave, wiretap = write_first(world, with_the_relay_s_key)
    (copy,) = wiretap.copies_for(dave.own.account_id, dave.own.device)
    started = Handshake.from_bytes(copy.header[:PREFIX_LENGTH])
    with dave.database.transaction():
        true = prekeys.find(dave.database, started.rotating_id, PrekeyType.ROTATING)
    assert true is not None
    open_with(structs.replace(true, kem_seed=RELAY_S_SEED), copy.header, carol, dave)


def open_with(
    pair: PrekeyPairSecret, header: bytes, sender: WorldDevice, receiver: WorldDevice
) -> None:
    """Open a first message of one device to another with this prekey pair."""
    parties = []
    for device in (receiver, sender):
        with device.database.transaction():
            parties.append(own_party(context_of(device)))
    ends = Ends.between(parties[0], receiver.own.secrets.agreement_seed, parties[1])
    world = receiver.world
    session_book.open_message((), header, Arrival(ends, OnePair(pair), world.now, bytes))


# --- Draining -----------------------------------------------------------------------------------


def drain(world: World, alice: WorldDevice) -> tuple[int, list[PrekeyBundle]]:
    """Let Mallory claim a device's prekeys a thousand times in an hour; then Carol does once.

    Returns how many one-time pairs Mallory got, and what Carol did.
    """
    mallory, carol = world.register("mallory"), world.register("carol")
    got: dict[WorldDevice, list[PrekeyBundle]] = {mallory: [], carol: []}

    def count(link: Link, _request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        if isinstance(answer, Bundles):
            got[link.device].extend(answer.bundles)
        return answer

    claim = ClaimPrekeys(alice.own.account_id, (alice.own.device,))
    with answering(world, count):
        for _ in range(1_000):
            mallory.ask(claim)
            world.pass_time(HOUR_MS // 1_000)
        carol.ask(claim)
    return sum(one.one_time is not None for one in got[mallory]), got[carol]


def test_nobody_drains_prekeys(world: World, alice: WorldDevice) -> None:
    """A few each hour for each account: others still start with a pair of their own."""
    mallory_s, carol_s = drain(world, alice)
    assert mallory_s <= CLAIMS_PER_TARGET_BURST + HOUR_MS // CLAIMS_PER_TARGET_REFILL_MS
    assert [bundle.one_time is not None for bundle in carol_s] == [True]


def test_twin_without_the_limit_one_account_drains_them(
    world: World, alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is left for others is the pair that serves everybody for a week."""
    CLAIM_LIMIT.switch_off(monkeypatch)
    mallory_s, carol_s = drain(world, alice)
    assert mallory_s == ONE_TIME_PREKEYS
    assert [bundle.one_time for bundle in carol_s] == [None]
