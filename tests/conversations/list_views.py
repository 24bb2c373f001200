"""What devices hold of each other's lists, and lists that their phones never showed."""

from __future__ import annotations

from msgspec import structs
from tests.world import WorldDevice

from untether.base.identifiers import DAY_MS, AccountId
from untether.device import directory, inputs, own_account, senders
from untether.device.context import Context
from untether.device.senders import Sender
from untether.device.store import accounts
from untether.protocol.identity.device_list import DeviceList, DeviceListBody, sign_list
from untether.wire.client_frames import FetchLists
from untether.wire.codec import decode
from untether.wire.records import ListHead, SignedObject


def context_of(device: WorldDevice) -> Context:
    """Return a context of a device's engine; the caller holds the transaction."""
    return Context(device.database, device.world.now, device.world.randomness)


def held_by(device: WorldDevice, account: AccountId) -> DeviceList:
    """Return the list that a device holds of an account."""
    with device.database.transaction():
        held = directory.held_list(context_of(device), account)
    assert held is not None
    return held


def head_of(device: WorldDevice, account: AccountId) -> ListHead:
    """Return the head of that list."""
    return held_by(device, account).head


def row_of(device: WorldDevice, account: AccountId) -> accounts.AccountRow:
    """Return all that a device holds of an account."""
    with device.database.transaction():
        found = accounts.find(device.database, account)
    assert found is not None
    return found


def sender_of(device: WorldDevice, of: WorldDevice) -> Sender:
    """Return one device as a sender to another."""
    with device.database.transaction():
        found = senders.find(context_of(device), of.own.account_id, of.own.device)
    assert found is not None
    return found


def signed_elsewhere(phone: WorldDevice, after: WorldDevice, **changes: int) -> SignedObject:
    """Sign another list with a phone's key, as whoever stole its database could."""
    with after.database.transaction():
        held = own_account.newest(context_of(after))
    body = decode(held.signed.body, DeviceListBody, size_max=10_000)
    changed = structs.replace(
        body,
        version=changes.get("version", body.version),
        expires_at=body.expires_at + changes.get("longer", 0),
        previous_hash=held.head.hash if "version" in changes else body.previous_hash,
    )
    return sign_list(changed, phone.own.secrets.signing_seed)


def sign_another_list(phone: WorldDevice, *, lease_days: int) -> SignedObject:
    """Let a phone sign its next list, by choosing another lease."""
    phone.feed(inputs.SetLease(lease_days * DAY_MS))
    phone.world.settle()
    return held_by(phone, phone.own.account_id).signed


def question(account: AccountId, head: ListHead) -> FetchLists:
    """Return the question for what follows a list."""
    return FetchLists(account, after=head)
