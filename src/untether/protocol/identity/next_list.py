"""What a phone signs next: the honest half of the rules (spec 02, "Making lists").

These functions make bodies that every verifier follows. They are pure: the caller stores the
signed list before it leaves the device and never signs two bodies for one place in the order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from untether.base.errors import LocalError
from untether.base.identifiers import DeviceNumber, UnixMillis
from untether.base.limits import COMPANIONS_MAX, GENERATION_NUMBER_STRIDE, LEASE_MAX_MS
from untether.protocol.identity.certificate import DeviceCertificate, Role
from untether.protocol.identity.device_list import NO_PREVIOUS_HASH, DeviceList, DeviceListBody

_FIRST_VERSION = 1


def first_number_of_generation(generation: int, seen_max: DeviceNumber | None) -> DeviceNumber:
    """Return the lowest number for a new device: above all seen, at least 1024·generation."""
    above_seen = 0 if seen_max is None else seen_max + 1
    return DeviceNumber(max(above_seen, GENERATION_NUMBER_STRIDE * generation))


def allocate_number(held: DeviceList, consumed_max: DeviceNumber | None = None) -> DeviceNumber:
    """Return the number for the next companion.

    ``consumed_max`` is the highest number that this phone has durably consumed; one whose link
    was aborted is skipped. The caller consumes the result before the account key signs it.
    """
    above_consumed = 0 if consumed_max is None else consumed_max + 1
    return DeviceNumber(max(held.next_number, above_consumed))


def first_list_body(
    certificate: DeviceCertificate, now: UnixMillis, lease_ms: int
) -> DeviceListBody:
    """Make the first list of a new account: its phone alone."""
    _require_primary(certificate)
    if certificate.generation != 0:
        raise LocalError("wrong-generation", "A new account starts with generation 0.")
    return _body(
        head=(0, _FIRST_VERSION),
        previous_hash=NO_PREVIOUS_HASH,
        devices=(certificate,),
        next_number=first_number_of_generation(0, certificate.device),
        now=now,
        lease_ms=lease_ms,
    )


def next_list_body(
    held: DeviceList,
    *,
    now: UnixMillis,
    lease_ms: int,
    add: DeviceCertificate | None = None,
    remove: Collection[DeviceNumber] = (),
) -> DeviceListBody:
    """Make the list after ``held``: renewed, with a companion added or companions removed."""
    for number in remove:
        _require_companion_of(held, number)
    devices = [device for device in held.devices if device.device not in remove]
    next_number = held.next_number
    if add is not None:
        _require_fresh(held, add)
        devices.append(add)
        next_number = DeviceNumber(add.device + 1)
    return _body(
        head=(held.head.generation, held.head.version + 1),
        previous_hash=held.head.hash,
        devices=devices,
        next_number=next_number,
        now=now,
        lease_ms=lease_ms,
    )


def recovered_list_body(
    held: DeviceList,
    new_primary: DeviceCertificate,
    kept: Collection[DeviceNumber],
    now: UnixMillis,
    lease_ms: int,
) -> DeviceListBody:
    """Make the first list of a higher generation: the new phone and the confirmed companions.

    ``held`` is the newest list that could be found. ``new_primary`` is either a new device with
    :func:`first_number_of_generation`, or the old phone itself with a higher generation.
    """
    _require_primary(new_primary)
    _require_successor(held, new_primary)
    for number in kept:
        _require_companion_of(held, number)
    devices = [new_primary, *(device for device in held.companions if device.device in kept)]
    seen_max = DeviceNumber(max(held.next_number - 1, new_primary.device))
    return _body(
        head=(new_primary.generation, _FIRST_VERSION),
        previous_hash=held.head.hash,
        devices=devices,
        next_number=first_number_of_generation(new_primary.generation, seen_max),
        now=now,
        lease_ms=lease_ms,
    )


def _body(
    *,
    head: tuple[int, int],
    previous_hash: bytes,
    devices: Iterable[DeviceCertificate],
    next_number: DeviceNumber,
    now: UnixMillis,
    lease_ms: int,
) -> DeviceListBody:
    ascending = sorted(devices, key=lambda device: device.device)
    if len(ascending) > 1 + COMPANIONS_MAX:
        raise LocalError(
            "too-many-devices",
            f"An account has at most {COMPANIONS_MAX} companions.",
            "Log one out first.",
        )
    if not 0 < lease_ms <= LEASE_MAX_MS:
        raise LocalError(
            "bad-lease", f"A lease lasts at most {LEASE_MAX_MS} ms; {lease_ms} ms were wanted."
        )
    return DeviceListBody(
        account_id=ascending[0].account_id,
        generation=head[0],
        version=head[1],
        previous_hash=previous_hash,
        issued_at=now,
        expires_at=UnixMillis(now + lease_ms),
        next_number=next_number,
        certificates=tuple(device.signed for device in ascending),
    )


def _require_primary(certificate: DeviceCertificate) -> None:
    if certificate.role is not Role.PRIMARY:
        raise LocalError("not-a-phone", f"Device {certificate.device} is not a phone.")


def _require_companion_of(held: DeviceList, number: DeviceNumber) -> None:
    device = held.device(number)
    if device is None:
        raise LocalError("no-such-device", f"There is no device {number}.")
    if device.role is Role.PRIMARY:
        raise LocalError("phone-stays", f"Device {number} is the phone of this account.")


def _require_fresh(held: DeviceList, add: DeviceCertificate) -> None:
    if add.account_key != held.account_key or add.role is not Role.COMPANION:
        raise LocalError("not-a-companion", f"Device {add.device} is no companion of this account.")
    if add.device < held.next_number:
        raise LocalError("number-used", f"The device number {add.device} was given out before.")


def _require_successor(held: DeviceList, new_primary: DeviceCertificate) -> None:
    if new_primary.account_key != held.account_key:
        raise LocalError("wrong-account", "The new phone belongs to another account.")
    if new_primary.generation <= held.head.generation:
        raise LocalError(
            "wrong-generation", f"The new phone needs a generation above {held.head.generation}."
        )
    seen_max = DeviceNumber(held.next_number - 1)
    same_phone = (
        new_primary.device == held.primary.device
        and new_primary.public_keys == held.primary.public_keys
    )
    fresh = new_primary.device >= first_number_of_generation(new_primary.generation, seen_max)
    if not same_phone and not fresh:
        raise LocalError("number-used", f"The device number {new_primary.device} is not free.")
