"""The link desk: where a companion and a phone leave sealed items for each other (spec 08).

A slot is a dead drop with a name that only the QR text tells. The relay sees sealed items and
keeps four rules: one phone claims a slot, the first item of an index stays, each side writes
and reads its own indexes, and everything ends after ten minutes.

The companion is a guest and proves nothing: knowing the slot's name is its ticket. Whoever
else knows it could only put an item first that doesn't open, which fails the link visibly.
"""

from __future__ import annotations

from typing import Final

from untether.base.identifiers import SlotId, UnixMillis
from untether.base.limits import LINK_SLOT_MS, OPEN_SLOTS_MAX
from untether.relay.outcome import Call, Decision, Refusal, TellSlot, WatchSlot
from untether.relay.principals import Device
from untether.relay.rows import SlotRow
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import ClaimLinkSlot, GetLinkItem, OpenLinkSlot, PutLinkItem
from untether.wire.server_frames import (
    Done,
    LinkContent,
    LinkNews,
    LinkOffered,
    LinkSlotOpened,
)

OFFER: Final = 0
FROM_PHONE: Final = frozenset({1, 3})
"""Answer and result."""
FROM_COMPANION: Final = frozenset({2})
"""Acceptance."""


async def open_slot(tx: RelayTransaction, call: Call, request: OpenLinkSlot) -> Decision:
    """Open a slot with its offer; the same again is the same slot."""
    row = await tx.slot(request.slot_id)
    if row is None:
        if await tx.count_slots(call.now) >= OPEN_SLOTS_MAX:
            raise Refusal("too-many-slots", LINK_SLOT_MS)
        row = SlotRow(request.slot_id, UnixMillis(call.now + LINK_SLOT_MS), None)
        await tx.put_slot(row)
        await tx.add_slot_item(request.slot_id, OFFER, request.offer)
    elif await tx.slot_item(request.slot_id, OFFER) != request.offer:
        raise Refusal("slot-in-use")
    return Decision(LinkSlotOpened(row.expires_at), (WatchSlot(request.slot_id),))


async def claim_slot(tx: RelayTransaction, call: Call, request: ClaimLinkSlot) -> Decision:
    """Take a slot for the asking device; only that device may ask again."""
    row = await _open_row(tx, request.slot_id, call.now)
    if row.claimed_by not in {None, call.address}:
        raise Refusal("slot-used")
    offer = await tx.slot_item(request.slot_id, OFFER)
    if offer is None:
        raise LookupError("a link slot without its offer")
    if row.claimed_by is None:
        await tx.put_slot(row._replace(claimed_by=call.address))
    return Decision(LinkOffered(offer), (WatchSlot(request.slot_id),))


async def put_item(tx: RelayTransaction, call: Call, request: PutLinkItem) -> Decision:
    """Leave an item for the other side; the first one stays."""
    row = await _open_row(tx, request.slot_id, call.now)
    if request.index not in _written_by(call, row):
        raise Refusal("wrong-side")
    held = await tx.slot_item(request.slot_id, request.index)
    if held is None:
        await tx.add_slot_item(request.slot_id, request.index, request.item)
    elif held != request.item:
        raise Refusal("slot-in-use")
    news = TellSlot(request.slot_id, LinkNews(request.slot_id, request.index))
    return Decision(Done(call.now), (news,))


async def get_item(tx: RelayTransaction, call: Call, request: GetLinkItem) -> Decision:
    """Read what the other side left, if it did."""
    row = await _open_row(tx, request.slot_id, call.now)
    if request.index not in (FROM_PHONE | FROM_COMPANION) - _written_by(call, row):
        raise Refusal("wrong-side")
    item = await tx.slot_item(request.slot_id, request.index)
    return Decision(LinkContent(item), (WatchSlot(request.slot_id),))


def _written_by(call: Call, row: SlotRow) -> frozenset[int]:
    """Return the indexes that this caller writes: a guest is the companion."""
    if not isinstance(call.session.principal, Device):
        return FROM_COMPANION
    if row.claimed_by != call.address:
        raise Refusal("slot-used" if row.claimed_by else "slot-not-claimed")
    return FROM_PHONE


async def _open_row(tx: RelayTransaction, slot_id: SlotId, now: UnixMillis) -> SlotRow:
    row = await tx.slot(slot_id)
    if row is None or row.expires_at <= now:
        raise Refusal("slot-expired")
    return row
