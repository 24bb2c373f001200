"""What people see of their own devices (spec 06, "Own devices").

Numbers, roles and codes come from the verified list. Names, kinds and dates are what the phone
told the other devices; they are in no certificate, since strangers read those.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from untether.base.identifiers import DeviceNumber, UnixMillis
from untether.device.store import accounts, device_notices, own_device
from untether.device.store.database import Database
from untether.protocol.identity.certificate import DeviceCertificate, Role
from untether.protocol.identity.device_list import open_list
from untether.wire.content import DeviceKind, DeviceNotice
from untether.wire.records import DeviceActivity


class OwnDeviceView(Struct, frozen=True):
    """One device of the own account; what has not been told yet is None.

    ``resigned``: it has logged itself out, and the phone's next list leaves it out.
    """

    device: DeviceNumber
    name: str | None
    kind: DeviceKind | None
    platform: str | None
    added_at: UnixMillis | None
    last_active_at: UnixMillis | None
    this: bool
    role: Role
    certificate_code: str
    resigned: bool


def overview(database: Database, activity: Iterable[DeviceActivity] = ()) -> list[OwnDeviceView]:
    """Return the devices of the newest own list by number; none in an unused profile.

    ``activity`` is the relay's word (Status) for when each was last connected.
    """
    own = own_device.load(database)
    found = None if own is None else accounts.find(database, own.account_id)
    if own is None or found is None:
        return []
    newest = open_list(found.signed_list, found.account_key)
    told = {notice.device: notice for notice in device_notices.of_devices(database, newest.devices)}
    active = {one.device: one.last_active_at for one in activity}
    resigned = accounts.resigned(database, own.account_id)
    return [
        _view(
            certificate,
            told.get(certificate.device),
            last_active_at=active.get(certificate.device),
            this=certificate.device == own.device,
            resigned=certificate.device in resigned,
        )
        for certificate in newest.devices
    ]


def names(database: Database) -> dict[DeviceNumber, str]:
    """Return the names of own devices as far as they were told, also of those that have left.

    What was told of a number counts for no other device that has it now.
    """
    own = own_device.load(database)
    found = None if own is None else accounts.find(database, own.account_id)
    if found is None:
        return {}
    newest = open_list(found.signed_list, found.account_key)
    listed = {certificate.device: certificate.hash for certificate in newest.devices}
    return {
        notice.device: notice.name
        for notice in device_notices.every(database)
        if listed.get(notice.device, notice.certificate_hash) == notice.certificate_hash
    }


def _view(
    certificate: DeviceCertificate,
    told: DeviceNotice | None,
    *,
    last_active_at: UnixMillis | None,
    this: bool,
    resigned: bool,
) -> OwnDeviceView:
    return OwnDeviceView(
        device=certificate.device,
        name=None if told is None else told.name,
        kind=None if told is None else told.device_kind,
        platform=(told.platform or None) if told is not None else None,
        added_at=None if told is None else told.added_at,
        last_active_at=last_active_at,
        this=this,
        role=certificate.role,
        certificate_code=certificate.short_code,
        resigned=resigned,
    )
