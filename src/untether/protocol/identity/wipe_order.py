"""Wipe orders: the phone tells a removed device to erase its messages (spec 02, "Wipe order").

A relay's refusal only suspends a device, and a list without it erases its keys. Messages go
only on this order, signed by the phone that signed the removing list, so neither a relay nor a
stolen companion can make anybody lose their history.
"""

from __future__ import annotations

from msgspec import Struct

from untether.base.errors import RemoteError
from untether.base.identifiers import AccountId, DeviceNumber
from untether.base.limits import SMALL_SIGNED_BODY_MAX
from untether.crypto import labels
from untether.protocol.identity.device_list import DeviceList
from untether.protocol.identity.signing import check_signature, sign_record
from untether.wire.codec import Record, decode_canonical
from untether.wire.fields import AccountIdField, Bytes32, DeviceNumberField
from untether.wire.records import SignedObject


class WipeOrderBody(Record, frozen=True):
    """What the primary signs; ``list_hash`` names a list of its own without the device."""

    account_id: AccountIdField
    device: DeviceNumberField
    list_hash: Bytes32


class WipeOrder(Struct, frozen=True):
    """A verified order; made by :func:`open_wipe_order` only."""

    account_id: AccountId
    device: DeviceNumber
    list_hash: bytes
    signed: SignedObject


def sign_wipe_order(
    primary_seed: bytes, account_id: AccountId, device: DeviceNumber, list_hash: bytes
) -> SignedObject:
    """Sign the order with the primary's signing seed."""
    body = WipeOrderBody(account_id=account_id, device=device, list_hash=list_hash)
    return sign_record(primary_seed, labels.WIPE_ORDER, body)


def wipe_order_target(signed: SignedObject) -> tuple[DeviceNumber, bytes]:
    """Read device number and list hash, to find the list; nothing is verified yet."""
    body = _read(signed)
    return body.device, body.list_hash


def open_wipe_order(signed: SignedObject, removing_list: DeviceList) -> WipeOrder:
    """Check an order against the verified list that it names, from which the device is gone."""
    body = _read(signed)
    if body.account_id != removing_list.account_id:
        raise RemoteError("wrong-account", "A wipe order belongs to another account.")
    if body.list_hash != removing_list.head.hash:
        raise RemoteError("wrong-list", "A wipe order names another device list.")
    if not removing_list.was_removed(body.device):
        raise RemoteError("device-not-removed", f"Device {body.device} was not removed.")
    check_signature(
        removing_list.primary.signing_key,
        signed.signature,
        labels.WIPE_ORDER,
        signed.body,
        code="bad-wipe-signature",
    )
    return WipeOrder(body.account_id, body.device, body.list_hash, signed)


def _read(signed: SignedObject) -> WipeOrderBody:
    return decode_canonical(signed.body, WipeOrderBody, size_max=SMALL_SIGNED_BODY_MAX)
