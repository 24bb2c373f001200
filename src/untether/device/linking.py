"""Linking, whichever side this device is (spec 03, "Slot").

Answers and news of a slot go to the side whose link it is; both sides have the same few.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from untether.base.identifiers import SlotId
from untether.device import linking_admission, linking_companion, linking_phone
from untether.device.context import Context
from untether.device.inputs import CancelLink
from untether.device.store import links
from untether.protocol.linking.failures import link_error
from untether.wire.client_frames import ClaimLinkSlot, GetLinkItem, OpenLinkSlot, PutLinkItem
from untether.wire.server_frames import Done, LinkContent, LinkNews, Refused, ServerFrame

SLOT_FAILURES: Final[Mapping[str, str]] = {
    "slot-expired": "link-expired",
    "slot-used": "link-used",
    "slot-not-claimed": "link-used",
    "slot-in-use": "link-tampered",
}
"""Refusals of the relay that end a link; any other is asked again later."""

PHONE_SLOT_FAILURES: Final[Mapping[str, str]] = {**SLOT_FAILURES, "slot-in-use": "link-used"}
"""The same on the phone: nobody but itself could have answered in the slot before."""


def pursue(context: Context) -> None:
    """Ask again for what is open on either side."""
    linking_companion.pursue(context)
    linking_phone.pursue(context)


def cancel(context: Context, _command: CancelLink) -> None:
    """Give up linking; ``link-wrong-moment`` when nothing is under way."""
    if not linking_companion.cancel(context) and not linking_phone.cancel(context):
        raise link_error("link-wrong-moment")


def news(context: Context, frame: LinkNews) -> None:
    """The other side has put something: get it."""
    own = links.companion_link(context.database, frame.slot_id)
    theirs = links.phone_link(context.database, frame.slot_id)
    row = own or theirs
    if row is not None and row.link.awaits == frame.index:
        context.request(GetLinkItem(frame.slot_id, frame.index))


def on_slot_opened(context: Context, request: OpenLinkSlot, answer: ServerFrame) -> None:
    """The relay opened the slot, or not."""
    if _ends(context, request.slot_id, answer):
        return
    row = links.companion_link(context.database, request.slot_id)
    if row is not None:
        linking_companion.on_slot_opened(context, row, answer)


def on_claimed(context: Context, request: ClaimLinkSlot, answer: ServerFrame) -> None:
    """The slot is this phone's, or another one's."""
    if _ends(context, request.slot_id, answer):
        return
    row = links.phone_link(context.database, request.slot_id)
    if row is not None:
        linking_phone.on_claimed(context, row, answer)


def on_item(context: Context, request: GetLinkItem, answer: ServerFrame) -> None:
    """Here is what the other side has put, if it has."""
    if _ends(context, request.slot_id, answer):
        return
    if not isinstance(answer, LinkContent):
        return
    own = links.companion_link(context.database, request.slot_id)
    if own is not None and own.link.awaits == request.index and answer.item is not None:
        linking_companion.on_item(context, own, answer.item)
    theirs = links.phone_link(context.database, request.slot_id)
    if theirs is None or theirs.link.awaits != request.index:
        return
    if answer.item is None:
        linking_phone.on_nothing(context, theirs)
    else:
        linking_admission.take_acceptance(context, theirs, answer.item)


def on_put(context: Context, request: PutLinkItem, answer: ServerFrame) -> None:
    """The relay keeps the item, or can't."""
    if _ends(context, request.slot_id, answer) or not isinstance(answer, Done):
        return
    own = links.companion_link(context.database, request.slot_id)
    if own is not None and own.link.outgoing == (request.index, request.item):
        linking_companion.on_put(context, own)
    theirs = links.phone_link(context.database, request.slot_id)
    if theirs is not None and theirs.link.outgoing == (request.index, request.item):
        linking_phone.on_put(context, theirs)


def _ends(context: Context, slot_id: SlotId, answer: ServerFrame) -> bool:
    """Let a refusal that closes the slot end the link; tell whether it was one."""
    if not isinstance(answer, Refused) or answer.code not in SLOT_FAILURES:
        return False
    own = links.companion_link(context.database, slot_id)
    if own is not None:
        linking_companion.on_refused(context, own, SLOT_FAILURES[answer.code])
    theirs = links.phone_link(context.database, slot_id)
    if theirs is not None:
        linking_phone.on_refused(context, theirs, PHONE_SLOT_FAILURES[answer.code])
    return True
