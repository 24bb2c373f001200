"""Device lists: which devices an account has, signed by its phone (spec 02, "Device list").

A list holds the complete certificates of all present devices. The one primary among them
signs it with its *device* key, so logging a device out and renewing the lease need no user
verification, while a device that the account key never certified can't be added.

This module checks what one list says for itself; :mod:`.list_rules` checks what it says
against the lists before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from untether.base.errors import RemoteError
from untether.base.identifiers import AccountId, DeviceNumber, UnixMillis
from untether.base.limits import (
    CERTIFICATE_BODY_MAX,
    CLOCK_AHEAD_MAX_MS,
    COMPANIONS_MAX,
    GENERATION_NUMBER_STRIDE,
    LEASE_MAX_MS,
    LIST_BODY_MAX,
)
from untether.crypto import hashes, labels
from untether.protocol.identity.account import account_id
from untether.protocol.identity.certificate import (
    CertificateBody,
    DeviceCertificate,
    Role,
    verify_certificate,
)
from untether.protocol.identity.signing import check_signature, sign_record
from untether.wire.codec import Record, decode, decode_canonical
from untether.wire.fields import AccountIdField, Bytes32, DeviceNumberField, Millis, Uint32
from untether.wire.records import ListHead, SignedCertificate, SignedObject

NO_PREVIOUS_HASH: Final = bytes(hashes.HASH_LENGTH)
"""Stands in the very first list of an account, and nowhere else."""


class DeviceListBody(Record, frozen=True):
    """What the primary signs."""

    account_id: AccountIdField
    generation: Uint32
    version: Uint32
    previous_hash: Bytes32
    issued_at: Millis
    expires_at: Millis
    next_number: DeviceNumberField
    certificates: tuple[SignedCertificate, ...]


class DeviceList(Struct, frozen=True):
    """A verified list; made by :func:`open_list` only. ``devices`` ascend by number."""

    account_key: bytes
    account_id: AccountId
    head: ListHead
    previous_hash: bytes
    issued_at: UnixMillis
    expires_at: UnixMillis
    next_number: DeviceNumber
    devices: tuple[DeviceCertificate, ...]
    primary: DeviceCertificate
    signed: SignedObject

    @property
    def companions(self) -> tuple[DeviceCertificate, ...]:
        """All devices but the phone."""
        return tuple(device for device in self.devices if device.role is Role.COMPANION)

    def device(self, number: DeviceNumber) -> DeviceCertificate | None:
        """Return the certificate of a present device."""
        return next((device for device in self.devices if device.device == number), None)

    def ahead_ms(self, now: UnixMillis) -> int:
        """Return how far its date lies ahead of a clock, 0 when honest clocks may differ so far."""
        ahead_ms = self.issued_at - now
        return ahead_ms if ahead_ms > CLOCK_AHEAD_MAX_MS else 0

    def was_removed(self, number: DeviceNumber) -> bool:
        """Tell whether the number was given out (or skipped) and is not present."""
        return number < self.next_number and self.device(number) is None


def device_list_hash(body: bytes) -> bytes:
    """Return the hash (32 bytes) that names a list."""
    return hashes.blake2b_256(labels.DEVICE_LIST_HASH, body)


def sign_list(body: DeviceListBody, primary_seed: bytes) -> SignedObject:
    """Sign a list with the primary's signing seed."""
    return sign_record(primary_seed, labels.DEVICE_LIST_SIGNATURE, body)


def open_list(
    signed: SignedObject, account_key: bytes, known: Iterable[DeviceCertificate] = ()
) -> DeviceList:
    """Check one list by itself against the pinned account key; RemoteError when it fails.

    ``known`` are certificates verified before (see :func:`.certificate.verify_certificate`).
    """
    body = decode_canonical(signed.body, DeviceListBody, size_max=LIST_BODY_MAX)
    if body.account_id != account_id(account_key):
        raise RemoteError("wrong-account", "A device list belongs to another account.")
    _check_position(body)
    _check_lease(body)
    _check_count(body)
    known = tuple(known)
    devices = tuple(verify_certificate(one, account_key, known) for one in body.certificates)
    primary = _only_primary(devices, body.generation)
    _check_numbers(devices, body)
    _check_distinct_keys(devices)
    check_signature(
        primary.signing_key,
        signed.signature,
        labels.DEVICE_LIST_SIGNATURE,
        signed.body,
        code="list-wrong-signer",
    )
    return DeviceList(
        account_key=account_key,
        account_id=body.account_id,
        head=ListHead(body.generation, body.version, device_list_hash(signed.body)),
        previous_hash=body.previous_hash,
        issued_at=body.issued_at,
        expires_at=body.expires_at,
        next_number=body.next_number,
        devices=devices,
        primary=primary,
        signed=signed,
    )


def account_key_by_id(signed: SignedObject, pinned_id: AccountId) -> bytes:
    """Return the account key that a list shows, if it is the one that the pinned id names.

    For first contact, when only the id is known. Nothing else in the list is checked.
    """
    body = decode(signed.body, DeviceListBody, size_max=LIST_BODY_MAX)
    _check_count(body)
    first = decode(body.certificates[0].body, CertificateBody, size_max=CERTIFICATE_BODY_MAX)
    if account_id(first.account_key) != pinned_id:
        raise RemoteError("wrong-account", "A device list belongs to another account.")
    return first.account_key


def _check_position(body: DeviceListBody) -> None:
    if body.version < 1:
        raise RemoteError("list-bad-version", "The versions of device lists start at 1.")
    is_first = body.generation == 0 and body.version == 1
    if is_first != (body.previous_hash == NO_PREVIOUS_HASH):
        raise RemoteError(
            "list-bad-previous",
            "Only the very first device list of an account has no list before it.",
        )


def _check_lease(body: DeviceListBody) -> None:
    lease_ms = body.expires_at - body.issued_at
    if not 0 < lease_ms <= LEASE_MAX_MS:
        raise RemoteError(
            "list-bad-lease",
            f"A device list is valid for {lease_ms} ms; more than none and at most "
            f"{LEASE_MAX_MS} ms are allowed.",
        )


def _check_count(body: DeviceListBody) -> None:
    count = len(body.certificates)
    if not 1 <= count <= 1 + COMPANIONS_MAX:
        raise RemoteError(
            "list-too-many-devices" if count else "list-no-device",
            f"A device list names {count} devices; a phone and at most "
            f"{COMPANIONS_MAX} companions are allowed.",
        )


def _only_primary(devices: Sequence[DeviceCertificate], generation: int) -> DeviceCertificate:
    primaries = [device for device in devices if device.role is Role.PRIMARY]
    if len(primaries) != 1:
        raise RemoteError("list-not-one-phone", f"A device list names {len(primaries)} phones.")
    if primaries[0].generation != generation:
        raise RemoteError(
            "wrong-generation",
            f"A device list of generation {generation} is signed by a phone of generation "
            f"{primaries[0].generation}.",
        )
    return primaries[0]


def _check_numbers(devices: Sequence[DeviceCertificate], body: DeviceListBody) -> None:
    if any(left.device >= right.device for left, right in pairwise(devices)):
        raise RemoteError("list-not-ascending", "Device numbers of a list do not ascend.")
    lowest = max(GENERATION_NUMBER_STRIDE * body.generation, devices[-1].device + 1)
    if body.next_number < lowest:
        raise RemoteError(
            "list-bad-next-number",
            f"A device list gives {body.next_number} as its next device number; "
            f"{lowest} is the lowest possible.",
        )


def _check_distinct_keys(devices: Sequence[DeviceCertificate]) -> None:
    signing_keys = {device.signing_key for device in devices}
    agreement_keys = {device.agreement_key for device in devices}
    if not len(signing_keys) == len(agreement_keys) == len(devices):
        raise RemoteError("key-reused", "Two devices of a list have the same key.")
