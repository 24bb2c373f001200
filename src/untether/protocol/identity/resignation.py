"""Resignations: a companion logs itself out (spec 02, "Resignation").

The relay serves a resignation beside the list. Everybody treats the device as removed at once;
it is valid for that number for ever, and the phone folds it into its next list.
"""

from __future__ import annotations

from msgspec import Struct

from untether.base.errors import RemoteError
from untether.base.identifiers import AccountId, DeviceAddress, DeviceNumber
from untether.base.limits import SMALL_SIGNED_BODY_MAX
from untether.crypto import labels
from untether.protocol.identity.certificate import DeviceCertificate, Role
from untether.protocol.identity.signing import check_signature, sign_record
from untether.wire.codec import Record, decode_canonical
from untether.wire.fields import AccountIdField, Bytes32, DeviceNumberField
from untether.wire.records import SignedObject


class ResignationBody(Record, frozen=True):
    """What the companion signs; ``list_hash`` names the newest list that it knew."""

    account_id: AccountIdField
    device: DeviceNumberField
    list_hash: Bytes32


class Resignation(Struct, frozen=True):
    """A verified resignation; made by :func:`open_resignation` only."""

    account_id: AccountId
    device: DeviceNumber
    list_hash: bytes
    signed: SignedObject


def sign_resignation(
    device_seed: bytes, account_id: AccountId, device: DeviceNumber, list_hash: bytes
) -> SignedObject:
    """Sign the own log-out with the companion's signing seed."""
    body = ResignationBody(account_id=account_id, device=device, list_hash=list_hash)
    return sign_record(device_seed, labels.RESIGNATION, body)


def resignation_address(signed: SignedObject) -> DeviceAddress:
    """Read whom a resignation names, to find the certificate; nothing is verified yet."""
    body = _read(signed)
    return DeviceAddress(body.account_id, body.device)


def open_resignation(signed: SignedObject, certificate: DeviceCertificate) -> Resignation:
    """Check a resignation against the certificate of the companion that it names."""
    body = _read(signed)
    if DeviceAddress(body.account_id, body.device) != certificate.address:
        raise RemoteError("wrong-device", "A resignation names another device.")
    if certificate.role is not Role.COMPANION:
        raise RemoteError("phone-stays", "A phone can't resign from its account.")
    check_signature(
        certificate.signing_key,
        signed.signature,
        labels.RESIGNATION,
        signed.body,
        code="bad-resignation-signature",
    )
    return Resignation(body.account_id, body.device, body.list_hash, signed)


def _read(signed: SignedObject) -> ResignationBody:
    return decode_canonical(signed.body, ResignationBody, size_max=SMALL_SIGNED_BODY_MAX)
