"""Linking on the phone (spec 03, "Phone").

Theory of operation. As on the other side, the machine is stored with each step and
:func:`pursue` says again whatever is open. Three writes are ordered so that a crash between
them costs a number at most: the number is consumed before the account key signs, the next list
is stored with the new device's prekeys before it leaves, and the new device is told only after
the relay has both.

A phone has at most one link that its user still decides about; one whose list is signed goes
on by itself.
"""

from __future__ import annotations

from dataclasses import replace

from untether.base.errors import UntetherError
from untether.base.identifiers import DeviceNumber, UnixMillis
from untether.base.limits import LINK_POLL_MS, LINK_SLOT_MS
from untether.device import outgoing, own_account, prekeys
from untether.device.context import Context
from untether.device.events import DeviceLinked, LinkFailed, LinkRequested
from untether.device.inputs import ApproveLink, CertificateSigned, ConfirmLink
from untether.device.store import links, own_lists, own_notices, publications
from untether.device.store.links import PhoneRow
from untether.device.store.publications import Publication
from untether.protocol.identity.certificate import certificate_hash, short_code, verify_certificate
from untether.protocol.identity.list_rules import allocate_number
from untether.protocol.linking import phone
from untether.protocol.linking.failures import link_error, refusal_code
from untether.protocol.linking.machine import known
from untether.protocol.linking.phone import PhoneLink, PhoneState
from untether.wire.client_frames import ClaimLinkSlot, GetLinkItem, PutLinkItem
from untether.wire.content import DeviceNotice
from untether.wire.link_offer import RefusalCode
from untether.wire.server_frames import LinkOffered, ServerFrame

_UNDECIDED = frozenset(
    {PhoneState.SCANNED, PhoneState.OFFER_READ, PhoneState.VERIFYING, PhoneState.ANSWERED}
)
"""No list has been signed for the link yet."""


def approve(context: Context, command: ApproveLink) -> None:
    """Read a link text and ask the relay for the offer; a link under way gives way.

    Raises what :func:`untether.protocol.linking.phone.scan` raises, and LocalError
    ``displaced``; the relay has heard nothing then.
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
    cancel(context)
    ends_at = UnixMillis(context.now + LINK_SLOT_MS)
    _save(context, PhoneRow(link.link_text.slot_id, link, ends_at), link)


def pursue(context: Context) -> None:
    """Ask again for what is open, and end what is overdue."""
    for row in links.phone_links(context.database):
        if context.now <= row.ends_at:
            _pursue(context, row)
        elif row.link.state in _UNDECIDED:
            _end(context, row, phone.fail(row.link, "link-expired"))
        elif row.link.state is not PhoneState.ACCEPTED:
            links.remove(context.database, row.slot_id)


def tell_again(context: Context) -> None:
    """Say what the user is asked about, for a process that may not have heard it."""
    for row in links.phone_links(context.database):
        if row.link.state is PhoneState.OFFER_READ:
            offer = known(row.link.offer)
            context.notify(LinkRequested(offer.name, offer.kind))


def on_claimed(context: Context, row: PhoneRow, answer: ServerFrame) -> None:
    """The slot is this phone's: show who offers to be linked."""
    if row.link.state is not PhoneState.SCANNED or not isinstance(answer, LinkOffered):
        return
    link = phone.read_offer(row.link, answer.offer, context.now)
    if link.state is PhoneState.FAILED:
        _end(context, row, link)
        return
    _save(context, row, link)
    tell_again(context)


def confirm(context: Context, command: ConfirmLink) -> None:
    """The user says whether this device may be linked; then user verification follows."""
    row = _in_state(context, PhoneState.OFFER_READ)
    if not command.accept:
        _refuse(context, row, "link-cancelled")
        return
    own_account.require_signing(context)
    newest = own_account.newest(context)
    number = allocate_number(newest, links.highest_consumed(context.database))
    try:
        link = phone.approve(row.link, newest, number)
    except UntetherError as error:
        _refuse(context, row, refusal_code(error))
        return
    links.consume_number(context.database, number)
    _save(context, row, link)
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
        notices=own_notices.of_devices(context.database, newest.devices),
        randomness=context.randomness,
    )
    _save(context, replace(row, answered_head=newest.head), link)


def verification_refused(context: Context) -> None:
    """The owner was not verified: nothing was signed. What else it was for needs no word here."""
    for row in links.phone_links(context.database):
        if row.link.state is PhoneState.VERIFYING:
            _refuse(context, row, "link-verification-refused")


def on_item(context: Context, row: PhoneRow, item: bytes) -> None:
    """The new device has accepted: sign the list that names it, and publish both together."""
    link = phone.read_acceptance(row.link, item, context.randomness)
    if link.state is PhoneState.FAILED:
        _end(context, row, link)
        return
    certificate = verify_certificate(known(link.certificate), context.own.account_key)
    try:
        prekeys.check_stock(known(link.prekeys), certificate)
        following = own_account.sign_next(context, add=certificate)
    except UntetherError as error:
        _end(context, row, phone.refuse(link, refusal_code(error), context.randomness))
        return
    brought = Publication(added=certificate.device, prekeys=link.prekeys)
    publications.add(context.database, following.head, brought)
    _save(context, row, link)
    own_account.publish(context)


def admitted(context: Context, device: DeviceNumber) -> None:
    """The relay lists the device: it is told, and so are the other own devices."""
    row = _accepted(context, device)
    if row is None:
        return
    lists = own_lists.published_after(context.database, known(row.answered_head))
    _save(context, row, phone.admit(row.link, tuple(lists), context.randomness))
    offer, body = known(row.link.offer), known(row.link.certificate_body)
    notice = DeviceNotice(device, certificate_hash(body), offer.name, offer.kind, context.now)
    own_notices.save(context.database, notice)
    outgoing.send_control(context, context.own.account_id, notice)
    context.notify(DeviceLinked(device, offer.name, short_code(body)))


def not_admitted(context: Context, device: DeviceNumber, code: RefusalCode) -> None:
    """The relay will never list the device."""
    row = _accepted(context, device)
    if row is not None:
        _refuse(context, row, code)


def on_refused(context: Context, row: PhoneRow, code: str) -> None:
    """The slot is closed for this phone."""
    if row.link.state in _UNDECIDED:
        _end(context, row, phone.fail(row.link, code))
    elif row.link.state is not PhoneState.ACCEPTED:
        links.remove(context.database, row.slot_id)


def on_put(context: Context, row: PhoneRow) -> None:
    """The relay keeps what was put: a result or a refusal was the last word."""
    if row.link.state in {PhoneState.ADMITTED, PhoneState.FAILED}:
        links.remove(context.database, row.slot_id)
    else:
        links.save_phone(context.database, replace(row, link=phone.delivered(row.link)))


def cancel(context: Context) -> bool:
    """Give up the link that is not decided yet, if there is one."""
    for row in links.phone_links(context.database):
        if row.link.state in _UNDECIDED:
            _refuse(context, row, "link-cancelled")
            return True
    return False


def _pursue(context: Context, row: PhoneRow) -> None:
    link = row.link
    if link.state is PhoneState.SCANNED:
        context.request(ClaimLinkSlot(row.slot_id))
    elif link.awaits is not None:
        context.request(GetLinkItem(row.slot_id, link.awaits))
    if link.outgoing is not None:
        context.request(PutLinkItem(row.slot_id, *link.outgoing))
    if link.state is not PhoneState.ACCEPTED:
        context.wake_at(UnixMillis(context.now + LINK_POLL_MS))


def _in_state(context: Context, state: PhoneState) -> PhoneRow:
    for row in links.phone_links(context.database):
        if row.link.state is state:
            return row
    raise link_error("link-wrong-moment")


def _accepted(context: Context, device: DeviceNumber) -> PhoneRow | None:
    for row in links.phone_links(context.database):
        if row.link.state is PhoneState.ACCEPTED:
            certificate = verify_certificate(known(row.link.certificate), context.own.account_key)
            if certificate.device == device:
                return row
    return None


def _save(context: Context, row: PhoneRow, link: PhoneLink) -> None:
    moved = replace(row, link=link)
    links.save_phone(context.database, moved)
    _pursue(context, moved)


def _refuse(context: Context, row: PhoneRow, code: RefusalCode) -> None:
    _end(context, row, phone.refuse(row.link, code, context.randomness))


def _end(context: Context, row: PhoneRow, link: PhoneLink) -> None:
    context.notify(LinkFailed(known(link.failure)))
    if link.outgoing is None:
        links.remove(context.database, row.slot_id)
    else:
        _save(context, row, link)
