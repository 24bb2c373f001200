"""Admitting a new device: the list that names it, its prekeys, its result (spec 03, "Admission").

Theory of operation. Two writes are ordered so that a crash between them costs nothing: the next
list is stored with the new device's prekeys before both leave, and the new device is told only
after the relay has them. What the relay would refuse is refused here first, since a list that
was signed can't be taken back.
"""

from __future__ import annotations

from untether.base.errors import LocalError, RefusedError, RemoteError
from untether.base.identifiers import DeviceNumber
from untether.device import linking_phone, outgoing, own_account
from untether.device.context import Context
from untether.device.events import DeviceLinked
from untether.device.parties import party_of
from untether.device.store import device_notices, links, own_lists, publications
from untether.device.store.links import PhoneRow
from untether.device.store.publications import Publication
from untether.protocol.identity.certificate import certificate_hash, short_code, verify_certificate
from untether.protocol.linking import phone
from untether.protocol.linking.failures import refusal_code
from untether.protocol.linking.machine import known
from untether.protocol.linking.phone import PhoneState
from untether.protocol.pairwise.prekeys import verify_stock
from untether.wire.content import DeviceNotice
from untether.wire.link_offer import RefusalCode


def take_acceptance(context: Context, row: PhoneRow, item: bytes) -> None:
    """The new device has accepted: sign the list that names it, and publish both together."""
    link = phone.read_acceptance(row.link, item, context.randomness)
    if link.state is PhoneState.FAILED:
        linking_phone.end(context, row, link)
        return
    certificate = verify_certificate(known(link.certificate), context.own.account_key)
    try:
        verify_stock(known(link.prekeys), party_of(certificate))
        following = own_account.sign_next(context, add=certificate)
    except (LocalError, RefusedError, RemoteError) as error:
        linking_phone.end(context, row, phone.refuse(link, refusal_code(error), context.randomness))
        return
    brought = Publication(added=certificate.device, prekeys=link.prekeys)
    publications.add(context.database, following.head, brought)
    linking_phone.save(context, row, link)
    own_account.publish(context)


def admitted(context: Context, device: DeviceNumber) -> None:
    """The relay lists the device: it is told, and so are the other own devices."""
    for row in _accepted(context, device):
        lists = own_lists.published_after(context.database, known(row.answered_head))
        linking_phone.save(context, row, phone.admit(row.link, tuple(lists), context.randomness))
        offer, body = known(row.link.offer), known(row.link.certificate_body)
        notice = DeviceNotice(
            device=device,
            certificate_hash=certificate_hash(body),
            name=offer.name,
            device_kind=offer.kind,
            added_at=context.now,
            platform=offer.platform,
        )
        device_notices.save(context.database, notice)
        outgoing.send_control(context, context.own.account_id, notice)
        context.notify(DeviceLinked(device, offer.name, short_code(body)))


def not_admitted(context: Context, device: DeviceNumber, code: RefusalCode) -> None:
    """The relay will never list the device."""
    for row in _accepted(context, device):
        linking_phone.refuse(context, row, code)


def _accepted(context: Context, device: DeviceNumber) -> list[PhoneRow]:
    return [
        row
        for row in links.phone_links(context.database)
        if row.link.state is PhoneState.ACCEPTED and _number(context, row) == device
    ]


def _number(context: Context, row: PhoneRow) -> DeviceNumber:
    return verify_certificate(known(row.link.certificate), context.own.account_key).device
