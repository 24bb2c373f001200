"""Rows of what the phone told its own devices about each other (spec 03, "Admission")."""

from __future__ import annotations

from collections.abc import Iterable

from untether.base.identifiers import DeviceNumber, UnixMillis
from untether.device.store.database import Database
from untether.protocol.identity.certificate import DeviceCertificate
from untether.wire.content import DeviceNotice


def save(database: Database, notice: DeviceNotice) -> None:
    """Keep the newest notice about a device; it counts only for that certificate."""
    database.run(
        "INSERT OR REPLACE INTO own_device_notices "
        "(device, certificate_hash, name, kind, added_at, platform) VALUES (?, ?, ?, ?, ?, ?)",
        notice.device,
        notice.certificate_hash,
        notice.name,
        notice.device_kind,
        notice.added_at,
        notice.platform,
    )


def every(database: Database) -> list[DeviceNotice]:
    """Return all notices by device number."""
    return [
        DeviceNotice(
            device=DeviceNumber(device),
            certificate_hash=certificate_hash,
            name=name,
            device_kind=kind,
            added_at=UnixMillis(added_at),
            platform=platform,
        )
        for device, certificate_hash, name, kind, added_at, platform in database.rows(
            "SELECT device, certificate_hash, name, kind, added_at, platform "
            "FROM own_device_notices ORDER BY device"
        )
    ]


def of_devices(
    database: Database, devices: Iterable[DeviceCertificate]
) -> tuple[DeviceNotice, ...]:
    """Return what is known of these devices, each by its very certificate."""
    hashes = {device.hash for device in devices}
    return tuple(notice for notice in every(database) if notice.certificate_hash in hashes)
