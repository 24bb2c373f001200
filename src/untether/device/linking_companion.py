"""Linking on the new device (spec 03, "Companion").

Theory of operation. The machine of :mod:`untether.protocol.linking.companion` is stored with
each step, and :func:`pursue` says again whatever is open. So a lost answer or a killed process
costs seconds.

Until “yes, mine” the profile stays unused. With it, this device's row is stored in state
*linking*, and from then on only two things end the link: the result, or the account's signed
lists. The relay serves those to anybody, so a device that missed the result asks for them; no
login is needed before it is listed.
"""

from __future__ import annotations

from msgspec.structs import replace

from untether.base.errors import UntetherError
from untether.base.identifiers import UnixMillis
from untether.base.limits import (
    CLOCK_WARNING_MS,
    LINK_POLL_MS,
    LINK_SLOT_MS,
)
from untether.device import linked_profile, prekeys
from untether.device.context import Context
from untether.device.events import LinkAnswered, LinkFailed, LinkOffered, RequestRefused
from untether.device.inputs import ConfirmAccount, OfferLink
from untether.device.store import links, own_device
from untether.device.store.links import CompanionRow
from untether.protocol.identity.account import account_id
from untether.protocol.identity.certificate import short_code
from untether.protocol.identity.device_list import open_list
from untether.protocol.identity.keys import DeviceSecrets
from untether.protocol.linking import companion
from untether.protocol.linking.companion import CompanionLink, CompanionState
from untether.protocol.linking.failures import link_error
from untether.protocol.linking.machine import known
from untether.wire.client_frames import FetchLists, GetLinkItem, OpenLinkSlot, PutLinkItem
from untether.wire.link_offer import RefusalCode
from untether.wire.server_frames import LinkSlotOpened, Lists, Refused, ServerFrame

_SHOWN = frozenset({CompanionState.PREPARED, CompanionState.OFFERED})
_OPEN = _SHOWN | {CompanionState.ANSWERED}
"""Nothing of this device has been signed yet."""

_TAKEN_UP = frozenset({CompanionState.ANSWERED, CompanionState.ACCEPTED})
"""A phone has answered: no other code may lead anywhere."""


def offer(context: Context, command: OfferLink) -> None:
    """Make an offer and open its slot; the codes shown before stay valid until they end.

    Said again once a phone has answered, it goes on with that link instead.
    """
    before = [row.link for row in links.companion_links(context.database)]
    if is_taken_up(context):
        _tell(context)
        pursue(context)
        return
    context.require_unused("link")
    shown = [link for link in before if link.state in _SHOWN]
    secrets = shown[-1].secrets if shown else DeviceSecrets.generate(context.randomness)
    link = companion.prepare(
        secrets,
        relay_address=command.origin,
        relay_id=command.relay_id,
        name=command.device_name,
        kind=command.device_kind,
        now=context.now,
        randomness=context.randomness,
        lifetime_ms=min(command.lifetime_ms, LINK_SLOT_MS),
        platform=command.device_platform,
    )
    row = CompanionRow(
        link.link_text.slot_id,
        link,
        command.device_name,
        command.device_kind,
        command.device_platform,
    )
    _save(context, row, link)


def is_taken_up(context: Context) -> bool:
    """Tell whether a phone has answered, so that no code is shown any more."""
    return any(row.link.state in _TAKEN_UP for row in links.companion_links(context.database))


def pursue(context: Context) -> None:
    """Ask again for what is open, and end what is overdue."""
    for row in links.companion_links(context.database):
        if context.now <= row.link.expires_at or row.link.state is CompanionState.ACCEPTED:
            _pursue(context, row)
        else:
            _expire(context, row)


def on_slot_opened(context: Context, row: CompanionRow, answer: ServerFrame) -> None:
    """The relay has the offer: the text may be shown."""
    if row.link.state is not CompanionState.PREPARED:
        return
    if isinstance(answer, LinkSlotOpened):
        _save(context, row, companion.slot_opened(row.link))
        if _is_newest(context, row):
            _tell(context)
    elif isinstance(answer, Refused):
        context.notify(RequestRefused("open-slot", answer.code, answer.retry_after_ms))


def on_item(context: Context, row: CompanionRow, item: bytes) -> None:
    """Take what the phone put into the slot: its answer, or its result."""
    if row.link.state is CompanionState.OFFERED:
        _answered(context, row, item)
    else:
        link = companion.read_result(row.link, item, context.now)
        if link.state is CompanionState.FAILED:
            _end(context, row, link)
        else:
            linked_profile.activate(context, row, link)


def on_refused(context: Context, row: CompanionRow, code: str) -> None:
    """The slot is closed for this device; after the acceptance the signed lists decide."""
    if row.link.state is CompanionState.ACCEPTED:
        _ask_for_lists(context, row.link)
    elif _is_current(context, row):
        _end(context, row, companion.fail(row.link, code))
    else:
        links.remove(context.database, row.slot_id)


def on_put(context: Context, row: CompanionRow) -> None:
    """The relay keeps what was put."""
    if row.link.state is CompanionState.FAILED:
        links.remove(context.database, row.slot_id)
    else:
        links.save_companion(context.database, replace(row, link=companion.delivered(row.link)))


def confirm(context: Context, command: ConfirmAccount) -> None:
    """The user says whether this account is theirs."""
    row = _in_state(context, CompanionState.ANSWERED)
    if context.now > row.link.expires_at:
        _expire(context, row)
    elif command.accept:
        _accept(context, row)
    else:
        _end(context, row, companion.refuse(row.link, "link-declined", context.randomness))


def cancel(context: Context) -> bool:
    """Give up, if a link is open here; ``link-wrong-moment`` while the phone may still list it."""
    rows = links.companion_links(context.database)
    under_way = [row for row in rows if row.link.state is not CompanionState.FAILED]
    if not under_way:
        return False
    row = under_way[-1]
    if row.link.state is CompanionState.ACCEPTED and context.now <= _patience_ends(row.link):
        raise link_error("link-wrong-moment")
    expired = context.now >= row.link.expires_at
    code: RefusalCode = "link-expired" if expired else "link-cancelled"
    _end(context, row, companion.refuse(row.link, code, context.randomness))
    return True


def on_lists(context: Context, answer: Lists) -> None:
    """Finish by the account's signed lists, or give up when they stay without this device."""
    row = _in_state(context, CompanionState.ACCEPTED)
    try:
        link = companion.admitted(row.link, answer.account.lists, context.now)
    except UntetherError:
        if context.now > _patience_ends(row.link):
            _end(context, row, companion.fail(row.link, "link-expired"))
        return
    linked_profile.activate(context, row, link)


def _tell(context: Context) -> None:
    """Say what is shown or asked now."""
    for row in links.companion_links(context.database)[-1:]:
        answer = row.link.answer
        if row.link.state is CompanionState.OFFERED:
            context.notify(LinkOffered(row.link.text, row.link.expires_at))
        elif row.link.state is CompanionState.ANSWERED and answer is not None:
            context.notify(
                LinkAnswered(
                    account_id=account_id(answer.account_key),
                    account_name=answer.account_name,
                    phone_name=answer.phone_name,
                    certificate_code=short_code(answer.certificate),
                )
            )


def _pursue(context: Context, row: CompanionRow) -> None:
    link = row.link
    if link.outgoing is not None:
        index, item = link.outgoing
        if link.state is CompanionState.PREPARED:
            context.request(OpenLinkSlot(row.slot_id, item))
        else:
            context.request(PutLinkItem(row.slot_id, index, item))
    if link.state is CompanionState.ACCEPTED and context.now > link.expires_at:
        _ask_for_lists(context, link)
    elif link.awaits is not None:
        context.request(GetLinkItem(row.slot_id, link.awaits))
    context.wake_at(UnixMillis(context.now + LINK_POLL_MS))


def _answered(context: Context, row: CompanionRow, item: bytes) -> None:
    link = companion.read_answer(row.link, item, context.now, context.randomness)
    if link.state is CompanionState.FAILED:
        _end(context, row, link)
        return
    links.keep_only(context.database, row.slot_id)
    _save(context, row, link)
    _tell(context)


def _accept(context: Context, row: CompanionRow) -> None:
    linked_profile.store(context, row)
    link = companion.accept(row.link, prekeys.full_stock(context), context.randomness)
    context.change_own(certificate=link.certificate)
    _save(context, row, link)


def _ask_for_lists(context: Context, link: CompanionLink) -> None:
    answer = known(link.answer)
    shown = open_list(answer.current_list, answer.account_key)
    context.request(FetchLists(shown.account_id, after=shown.head))


def _expire(context: Context, row: CompanionRow) -> None:
    """Its time is over: end the link, and let the phone know if it waits."""
    if _is_current(context, row):
        _end(context, row, companion.refuse(row.link, "link-expired", context.randomness))
    else:
        links.remove(context.database, row.slot_id)


def _is_current(context: Context, row: CompanionRow) -> bool:
    """Tell whether people know of a link; one that was renewed, or has failed, goes silently."""
    return row.link.state in _OPEN and _is_newest(context, row)


def _is_newest(context: Context, row: CompanionRow) -> bool:
    return links.companion_links(context.database)[-1].slot_id == row.slot_id


def _patience_ends(link: CompanionLink) -> UnixMillis:
    """Return when no phone goes on with the link any more, whatever clock it has."""
    return UnixMillis(link.expires_at + CLOCK_WARNING_MS)


def _in_state(context: Context, state: CompanionState) -> CompanionRow:
    for row in links.companion_links(context.database):
        if row.link.state is state:
            return row
    raise link_error("link-wrong-moment")


def _save(context: Context, row: CompanionRow, link: CompanionLink) -> None:
    moved = replace(row, link=link)
    links.save_companion(context.database, moved)
    _pursue(context, moved)


def _end(context: Context, row: CompanionRow, link: CompanionLink) -> None:
    """Linking has failed: the profile is unused again, and the phone hears why if it can."""
    context.notify(LinkFailed(known(link.failure)))
    links.keep_only(context.database, row.slot_id)
    if context.own_or_none is not None:
        own_device.erase_everything(context.database)
        context.forget_own()
    elif link.outgoing is not None:
        _save(context, row, link)
    else:
        links.remove(context.database, row.slot_id)
