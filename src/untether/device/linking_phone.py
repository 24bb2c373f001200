"""Linking on the phone (spec 03, "Phone").

Theory of operation. As on the other side, the machine is stored with each step and
:func:`pursue` says again whatever is open. A device number is consumed before the account key
signs for it, so a crash costs a number at most. What follows the new device's acceptance is
:mod:`.admission`'s.

A phone has at most one link that its user still decides about; one whose list is signed goes
on by itself.
"""

from __future__ import annotations

from msgspec.structs import replace

from untether.base.errors import UntetherError
from untether.base.identifiers import UnixMillis
from untether.base.limits import LINK_ANSWER_MS, LINK_POLL_MS, LINK_SLOT_MS
from untether.device import own_account
from untether.device.context import Context
from untether.device.events import LinkCertified, LinkFailed, LinkRequested
from untether.device.inputs import ApproveLink, CertificateSigned, ConfirmLink
from untether.device.store import device_notices, links, peers
from untether.device.store.links import PhoneRow
from untether.protocol.identity.certificate import short_code
from untether.protocol.identity.keys import DevicePublicKeys
from untether.protocol.identity.next_list import allocate_number
from untether.protocol.linking import phone
from untether.protocol.linking.failures import link_error, refusal_code
from untether.protocol.linking.machine import known
from untether.protocol.linking.phone import PhoneLink, PhoneState
from untether.wire.client_frames import ClaimLinkSlot, GetLinkItem, PutLinkItem
from untether.wire.link_offer import RefusalCode
from untether.wire.server_frames import LinkOffered, ServerFrame

_UNDECIDED = frozenset(
    {PhoneState.SCANNED, PhoneState.OFFER_READ, PhoneState.VERIFYING, PhoneState.ANSWERED}
)
"""No list has been signed for the link yet."""

_ASKED = (PhoneState.OFFER_READ, PhoneState.VERIFYING)
"""The user may still decide; without the signature nothing has left the phone."""


def approve(context: Context, command: ApproveLink) -> None:
    """Read a link text and ask the relay for the offer; another link gives way without a word.

    The same text again goes on with its link, from the question to the user on.
    Raises what :func:`untether.protocol.linking.phone.scan` raises, and RefusedError
    ``phone-displaced``; the relay has heard nothing then.
    """
    own, newest = context.active, own_account.newest(context)
    link = phone.scan(
        command.link_text,
        own=known(newest.device(own.device)),
        own_list=newest,
        relay_id=known(own.relay_id),
        randomness=context.randomness,
    )
    own_account.require_signing(context)
    row = links.phone_link(context.database, link.link_text.slot_id)
    if row is not None and row.link.state is not PhoneState.FAILED:
        _tell(context, row.link)
        _pursue(context, row)
        return
    for other in _undecided(context):
        _leave(context, other, phone.refuse(other.link, "link-cancelled", context.randomness))
    ends_at = UnixMillis(context.now + LINK_SLOT_MS)
    save(context, PhoneRow(link.link_text.slot_id, link, ends_at), link)


def pursue(context: Context) -> None:
    """Ask again for what is open, and end what is overdue."""
    for row in links.phone_links(context.database):
        if context.now <= row.ends_at or row.link.state is PhoneState.ANSWERED:
            _pursue(context, row)  # what has been answered in time counts, found late or not
        elif row.link.state in _UNDECIDED:
            end(context, row, phone.fail(row.link, "link-expired"))
        elif row.link.state is not PhoneState.ACCEPTED:
            links.remove(context.database, row.slot_id)


def on_claimed(context: Context, row: PhoneRow, answer: ServerFrame) -> None:
    """The slot is this phone's: show who offers to be linked."""
    if row.link.state is not PhoneState.SCANNED or not isinstance(answer, LinkOffered):
        return
    link = phone.read_offer(row.link, answer.offer, context.now, context.randomness)
    if link.state is PhoneState.OFFER_READ and _is_used(context, link):
        link = phone.refuse(link, "link-tampered", context.randomness, shown="link-used")
    if link.state is PhoneState.FAILED:
        end(context, row, link)
        return
    save(context, row, link)
    _tell(context, link)


def confirm(context: Context, command: ConfirmLink) -> None:
    """The user says whether this device may be linked; then user verification follows."""
    row = _in_state(context, *_ASKED)
    if not command.accept:
        refuse(context, row, "link-cancelled")
        return
    if row.link.certificate_body is not None:
        context.sign_certificate(row.link.certificate_body)
        return
    own_account.require_signing(context)
    newest = own_account.newest(context)
    number = allocate_number(newest, links.highest_consumed(context.database))
    try:
        link = phone.approve(row.link, newest, number)
    except UntetherError as error:
        refuse(context, row, refusal_code(error))
        return
    links.consume_number(context.database, number)
    save(context, row, link)
    context.sign_certificate(known(link.certificate_body))


def certificate_signed(context: Context, signed: CertificateSigned) -> None:
    """The account key has signed: the answer goes into the slot."""
    row = _in_state(context, PhoneState.VERIFYING)
    if row.link.certificate_body != signed.body:
        raise link_error("link-wrong-moment")
    own, newest = context.own, own_account.newest(context)
    link = phone.answer(
        row.link,
        signed.account_signature,
        account_name=own.name,
        phone_name=own.device_name,
        current_list=newest.signed,
        notices=device_notices.of_devices(context.database, newest.devices),
        randomness=context.randomness,
    )
    ends_at = min(row.ends_at, UnixMillis(context.now + LINK_ANSWER_MS))
    save(context, replace(row, answered_head=newest.head, ends_at=ends_at), link)
    _tell(context, link)


def on_nothing(context: Context, row: PhoneRow) -> None:
    """The new device has put nothing so far; the phone waits LINK_ANSWER_MS for its answer."""
    if row.link.state is PhoneState.ANSWERED and context.now > row.ends_at:
        link = phone.refuse(row.link, "link-expired", context.randomness, shown="link-unanswered")
        ends_at = UnixMillis(context.now + LINK_SLOT_MS)
        end(context, replace(row, ends_at=ends_at), link)


def verification_refused(context: Context) -> None:
    """The owner was not verified: nothing was signed. What else it was for needs no word here."""
    for row in links.phone_links(context.database):
        if row.link.state is PhoneState.VERIFYING:
            refuse(context, row, "link-verification-refused")


def on_refused(context: Context, row: PhoneRow, code: str) -> None:
    """The slot is closed for this phone."""
    if row.link.state in _UNDECIDED:
        end(context, row, phone.fail(row.link, code))
    elif row.link.state is not PhoneState.ACCEPTED:
        links.remove(context.database, row.slot_id)


def on_put(context: Context, row: PhoneRow) -> None:
    """The relay keeps what was put: a result or a refusal was the last word."""
    if row.link.state in {PhoneState.ADMITTED, PhoneState.FAILED}:
        links.remove(context.database, row.slot_id)
    else:
        links.save_phone(context.database, replace(row, link=phone.delivered(row.link)))


def is_asked(context: Context) -> bool:
    """Tell whether a device still waits for what this phone's user decides about it."""
    return any(row.link.state in _ASKED for row in links.phone_links(context.database))


def cancel(context: Context) -> bool:
    """Give up the link that is not decided yet, if there is one."""
    under_way = _undecided(context)
    for row in under_way:
        refuse(context, row, "link-cancelled")
    return bool(under_way)


def _is_used(context: Context, link: PhoneLink) -> bool:
    """Tell whether the device that showed the text is listed, or was and has been logged out."""
    if phone.is_used(link, own_account.newest(context)):
        return True
    offer = known(link.offer)
    keys = DevicePublicKeys(offer.signing_key, offer.agreement_key)
    return peers.was_met(context.database, context.own.account_id, keys)


def _tell(context: Context, link: PhoneLink) -> None:
    """Say what the user is asked about, and then what both screens show."""
    if link.state in _ASKED:
        offer = known(link.offer)
        context.notify(LinkRequested(offer.name, offer.kind, offer.platform))
    elif link.state is PhoneState.ANSWERED:
        code = short_code(known(link.certificate_body))
        context.notify(LinkCertified(known(link.offer).name, code))


def _pursue(context: Context, row: PhoneRow) -> None:
    link = row.link
    if link.state is PhoneState.SCANNED:
        context.request(ClaimLinkSlot(row.slot_id))
    elif link.awaits is not None:
        context.request(GetLinkItem(row.slot_id, link.awaits))
    if link.outgoing is not None:
        context.request(PutLinkItem(row.slot_id, *link.outgoing))
    if link.state is not PhoneState.ACCEPTED and context.now <= row.ends_at:
        context.wake_at(UnixMillis(context.now + LINK_POLL_MS))  # later at connections only


def _undecided(context: Context) -> list[PhoneRow]:
    return [row for row in links.phone_links(context.database) if row.link.state in _UNDECIDED]


def _in_state(context: Context, *states: PhoneState) -> PhoneRow:
    for row in _undecided(context):
        if row.link.state in states:
            return row
    raise link_error("link-wrong-moment")


def save(context: Context, row: PhoneRow, link: PhoneLink) -> None:
    """Store a link that has moved on, and ask for what it needs next."""
    moved = replace(row, link=link)
    links.save_phone(context.database, moved)
    _pursue(context, moved)


def refuse(context: Context, row: PhoneRow, code: RefusalCode) -> None:
    """End a link for a reason that the other side is told."""
    end(context, row, phone.refuse(row.link, code, context.randomness))


def end(context: Context, row: PhoneRow, link: PhoneLink) -> None:
    """Say why a link has failed, and put the refusal if there is one."""
    context.notify(LinkFailed(known(link.failure)))
    _leave(context, row, link)


def _leave(context: Context, row: PhoneRow, link: PhoneLink) -> None:
    if link.outgoing is None:
        links.remove(context.database, row.slot_id)
    else:
        save(context, row, link)
