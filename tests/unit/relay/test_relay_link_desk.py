"""The link desk: a dead drop with few rules (spec 08, "Link desk")."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.unit.relay.relay_desk import RelayDesk, RelayDevice, link

from untether.adapters.storage.relay_memory_rows import MemoryRelayTransaction
from untether.adapters.storage.relay_sqlite_rows import SqliteRelayTransaction
from untether.base.errors import RemoteError
from untether.base.identifiers import SlotId
from untether.base.limits import FRAME_MAX, LINK_OFFER_MAX, LINK_SLOT_MS
from untether.relay import link_desk
from untether.relay.housekeeping import Sweep, expire
from untether.relay.outcome import TellSlot, WatchSlot
from untether.wire.client_frames import ClaimLinkSlot, GetLinkItem, OpenLinkSlot, PutLinkItem
from untether.wire.codec import decode, encode
from untether.wire.server_frames import (
    Done,
    LinkContent,
    LinkNews,
    LinkOffered,
    LinkSlotOpened,
    Refused,
)

SLOT = SlotId(b"a random slot id")


async def test_a_companion_and_a_phone_meet(desk: RelayDesk, alice: RelayDevice) -> None:
    """Offer, answer, acceptance and result pass, each side hearing of the other's items."""
    opened = await desk.ask_as_guest(OpenLinkSlot(SLOT, b"offer"))
    assert opened == LinkSlotOpened(desk.now + LINK_SLOT_MS)  # type: ignore[arg-type]
    assert desk.effects == [WatchSlot(SLOT)]
    assert await alice.ask(ClaimLinkSlot(SLOT)) == LinkOffered(b"offer")
    assert desk.effects == [WatchSlot(SLOT)]
    assert await desk.ask_as_guest(GetLinkItem(SLOT, 1)) == LinkContent(None)
    assert isinstance(await alice.ask(PutLinkItem(SLOT, 1, b"answer")), Done)
    assert desk.effects == [TellSlot(SLOT, LinkNews(SLOT, 1))]
    assert await desk.ask_as_guest(GetLinkItem(SLOT, 1)) == LinkContent(b"answer")
    assert isinstance(await desk.ask_as_guest(PutLinkItem(SLOT, 2, b"acceptance")), Done)
    assert await alice.ask(GetLinkItem(SLOT, 2)) == LinkContent(b"acceptance")
    assert isinstance(await alice.ask(PutLinkItem(SLOT, 3, b"result")), Done)
    assert await desk.ask_as_guest(GetLinkItem(SLOT, 3)) == LinkContent(b"result")


async def test_repeats_are_the_same_slot_and_the_first_item_stays(
    desk: RelayDesk, alice: RelayDevice
) -> None:
    """Lost answers cost nothing, and nobody replaces what was left."""
    for _ in range(2):
        assert isinstance(await desk.ask_as_guest(OpenLinkSlot(SLOT, b"offer")), LinkSlotOpened)
        assert await alice.ask(ClaimLinkSlot(SLOT)) == LinkOffered(b"offer")
        assert isinstance(await alice.ask(PutLinkItem(SLOT, 1, b"answer")), Done)
    assert await desk.ask_as_guest(OpenLinkSlot(SLOT, b"other")) == Refused("slot-in-use")
    assert await alice.ask(PutLinkItem(SLOT, 1, b"other")) == Refused("slot-in-use")
    assert await desk.ask_as_guest(GetLinkItem(SLOT, 1)) == LinkContent(b"answer")


async def test_one_device_claims_a_slot(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """Another phone, and even a sibling, finds it used; unclaimed it is nobody's to write."""
    laptop = await link(alice)
    await desk.ask_as_guest(OpenLinkSlot(SLOT, b"offer"))
    assert await bob.ask(PutLinkItem(SLOT, 1, b"answer")) == Refused("slot-not-claimed")
    await alice.ask(ClaimLinkSlot(SLOT))
    for other in (bob, laptop):
        assert await other.ask(ClaimLinkSlot(SLOT)) == Refused("slot-used")
        assert await other.ask(PutLinkItem(SLOT, 1, b"answer")) == Refused("slot-used")
        assert await other.ask(GetLinkItem(SLOT, 2)) == Refused("slot-used")


async def test_each_side_keeps_to_its_own_items(desk: RelayDesk, alice: RelayDevice) -> None:
    """A phone can't write the companion's item, nor the companion the phone's."""
    await desk.ask_as_guest(OpenLinkSlot(SLOT, b"offer"))
    await alice.ask(ClaimLinkSlot(SLOT))
    for index in (0, 2):
        assert await alice.ask(PutLinkItem(SLOT, index, b"x")) == Refused("wrong-side")
    for index in (0, 1, 3):
        answer = await desk.ask_as_guest(PutLinkItem(SLOT, index, b"x"))
        assert answer == Refused("wrong-side")
        assert await alice.ask(GetLinkItem(SLOT, index)) == Refused("wrong-side")
    for index in (0, 2):
        assert await desk.ask_as_guest(GetLinkItem(SLOT, index)) == Refused("wrong-side")


async def test_a_slot_ends(desk: RelayDesk, alice: RelayDevice) -> None:
    """After its time a slot answers nobody, and clearing up deletes it with its items."""
    await desk.ask_as_guest(OpenLinkSlot(SLOT, b"offer"))
    await alice.ask(ClaimLinkSlot(SLOT))
    desk.pass_time(LINK_SLOT_MS)
    for frame in (ClaimLinkSlot(SLOT), PutLinkItem(SLOT, 1, b"x"), GetLinkItem(SLOT, 2)):
        assert await alice.ask(frame) == Refused("slot-expired")
    assert await alice.ask(ClaimLinkSlot(SlotId(b"?" * 16))) == Refused("slot-expired")
    desk.pass_time(1)
    await desk.store.transact(expire, desk.now, Sweep())
    assert isinstance(await desk.ask_as_guest(OpenLinkSlot(SLOT, b"new")), LinkSlotOpened)
    assert await alice.ask(ClaimLinkSlot(SLOT)) == LinkOffered(b"new")


async def test_slots_are_bounded(desk: RelayDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guests open slots, so there is an end to them."""
    monkeypatch.setattr(link_desk, "OPEN_SLOTS_MAX", 2)
    for number in range(2):
        await desk.ask_as_guest(OpenLinkSlot(SlotId(bytes([number]) * 16), b"offer"))
    refused = await desk.ask_as_guest(OpenLinkSlot(SLOT, b"offer"))
    assert refused == Refused("too-many-slots", LINK_SLOT_MS)


async def two_slots_have_ended(desk: RelayDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill the desk; then the time of all slots is over, and nobody has cleared up yet."""
    monkeypatch.setattr(link_desk, "OPEN_SLOTS_MAX", 2)
    for number in range(2):
        await desk.ask_as_guest(OpenLinkSlot(SlotId(bytes([number]) * 16), b"offer"))
    desk.pass_time(LINK_SLOT_MS)


def test_an_offer_has_its_bound_wherever_it_travels() -> None:
    """A phone reads no more of an offer than a guest may put."""
    for frame, kind in (
        (OpenLinkSlot(SLOT, bytes(LINK_OFFER_MAX)), OpenLinkSlot),
        (LinkOffered(bytes(LINK_OFFER_MAX)), LinkOffered),
    ):
        assert decode(encode(frame), kind, size_max=FRAME_MAX) == frame
        with pytest.raises(RemoteError):
            decode(
                encode(replace(frame, offer=bytes(LINK_OFFER_MAX + 1))), kind, size_max=FRAME_MAX
            )


async def test_ended_slots_keep_nobody_from_linking(
    desk: RelayDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound is on slots at one time; housekeeping comes only hourly."""
    await two_slots_have_ended(desk, monkeypatch)
    answer = await desk.ask_as_guest(OpenLinkSlot(SLOT, b"offer"))
    assert isinstance(answer, LinkSlotOpened)


async def test_twin_that_counts_all_rows_is_full_for_an_hour(
    desk: RelayDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seventeen addresses that keep within their limits then stop everybody else."""
    await two_slots_have_ended(desk, monkeypatch)
    for kind in (MemoryRelayTransaction, SqliteRelayTransaction):
        honest = kind.count_slots
        monkeypatch.setattr(kind, "count_slots", lambda tx, _, count=honest: count(tx, 0))
    answer = await desk.ask_as_guest(OpenLinkSlot(SLOT, b"offer"))
    assert answer == Refused("too-many-slots", LINK_SLOT_MS)
