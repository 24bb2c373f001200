"""Who sent a message, as far as verified lists tell (spec 07, "Senders").

A device that was removed (or has resigned) may still have mail on its way from before this
device learnt of it. Such mail is opened, and people are told. It ends as soon as the mailbox is
drained; since that is the relay's word, the device is believed for REMOVED_DEVICE_MAIL_MS at most.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from untether.base.errors import RemoteError
from untether.base.identifiers import AccountId, DeviceNumber, UnixMillis
from untether.base.limits import REMOVED_DEVICE_MAIL_MS
from untether.device import directory
from untether.device.context import Context
from untether.device.parties import party_of
from untether.device.store import accounts, contacts, messages, peers
from untether.protocol.identity.certificate import DeviceCertificate, Role
from untether.protocol.identity.device_list import DeviceList
from untether.protocol.identity.lease import LeaseState, lease_state
from untether.protocol.pairwise.parties import Party


class SenderKind(Enum):
    """What a sender is to this device; decides which kinds of content count from it."""

    OTHER = "a device of another account"
    OWN = "an own companion"
    OWN_PHONE = "the own phone"


class Sender(Struct, frozen=True):
    """A device that mail came from; ``held`` mail waits for a renewed lease before it shows."""

    row: int
    account_id: AccountId
    device: DeviceNumber
    party: Party
    kind: SenderKind
    removed: bool
    held: bool


def is_stranger(context: Context, sender: Sender) -> bool:
    """Tell whether nothing is said to a sender: no contact, no own device, or logged out."""
    if sender.removed:
        return True
    if sender.kind is not SenderKind.OTHER:
        return False
    return contacts.by_account(context.database, sender.account_id) is None


def is_known(context: Context, sender: Sender) -> bool:
    """Tell whether repairs are possible with a sender: no stranger, or one written to before.

    A companion has no contact for those whom only other own devices write to, but its copies.
    """
    if sender.removed:
        return False
    written_to = messages.is_written_to(context.database, sender.account_id)
    return written_to or not is_stranger(context, sender)


def find(context: Context, account: AccountId, number: DeviceNumber) -> Sender | None:
    """Return the sender, None when its list must be fetched first.

    Raises RemoteError ``device-removed`` for a device that was removed before this one held any
    list of its account, whose mail was drained, or that was removed too long ago.
    """
    found = directory.row(context, account)
    if found is None:
        return None
    device_list = directory.list_of(found)
    certificate = device_list.device(number)
    if certificate is not None and number not in accounts.resigned(context.database, account):
        state = lease_state(device_list, context.now, found.lease_ended_at)
        return _listed(context, certificate, state)
    if certificate is None and not device_list.was_removed(number):
        return None
    return _removed(context, device_list, number)


def _listed(context: Context, certificate: DeviceCertificate, state: LeaseState) -> Sender:
    account = certificate.account_id
    own = account == context.own.account_id
    kind = SenderKind.OTHER
    if own:
        is_phone = certificate.role is Role.PRIMARY
        kind = SenderKind.OWN_PHONE if is_phone else SenderKind.OWN
    return Sender(
        row=peers.find_or_add(context.database, certificate).row,
        account_id=account,
        device=certificate.device,
        party=party_of(certificate),
        kind=kind,
        removed=False,
        held=state is LeaseState.LONG_ENDED
        or (state is LeaseState.ENDED and certificate.role is Role.COMPANION),
    )


def _removed(context: Context, device_list: DeviceList, number: DeviceNumber) -> Sender:
    account = device_list.account_id
    since = UnixMillis(context.now - REMOVED_DEVICE_MAIL_MS)
    found = peers.removed_since(context.database, account, number, since)
    if found is None:
        raise RemoteError("device-removed", "The message came from a device that was logged out.")
    peer, signing_key, agreement_key = found
    own = account == context.own.account_id
    return Sender(
        row=peer,
        account_id=account,
        device=number,
        party=Party(device_list.account_key, number, signing_key, agreement_key),
        kind=SenderKind.OWN if own else SenderKind.OTHER,
        removed=True,
        held=False,
    )
