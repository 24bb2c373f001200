"""Who gets a copy: every present device of both accounts, never the sending one (spec 05).

This module decides from verified lists alone; it seals nothing and asks nobody.
"""

from __future__ import annotations

from msgspec import Struct

from untether.base.identifiers import UnixMillis
from untether.device.context import Context
from untether.device.store import accounts
from untether.protocol.identity.certificate import DeviceCertificate, Role
from untether.protocol.identity.device_list import DeviceList
from untether.protocol.identity.keys import DevicePublicKeys
from untether.protocol.identity.lease import LeaseState, lease_state
from untether.wire.client_frames import AbsenceReason


class Target(Struct, frozen=True):
    """A device of the set; with a reason it is named in the submission but gets no header.

    ``peer`` is its row, once it was looked up.
    """

    certificate: DeviceCertificate
    absent: AbsenceReason | None = None
    peer: int | None = None


def targets(
    context: Context, device_list: DeviceList, lease_ended_at: UnixMillis | None
) -> list[Target]:
    """Return the device set of an account for one message, in the order of device numbers.

    A resigned device gets nothing at all. When the lease has ended, by its time or early at
    ``lease_ended_at``, only the phone is sealed for (spec 02, "Lease").
    """
    state = lease_state(device_list, context.now, lease_ended_at)
    lease_runs = state in (LeaseState.RUNNING, LeaseState.GRACE)
    gone = accounts.resigned(context.database, device_list.account_id)
    keys_here = _keys_here(context, device_list)
    return [
        Target(
            certificate,
            absent="resigned"
            if certificate.device in gone
            else None
            if lease_runs or certificate.role is Role.PRIMARY
            else "lease-expired",
        )
        for certificate in device_list.devices
        if keys_here is None or certificate.public_keys != keys_here
    ]


def _keys_here(context: Context, device_list: DeviceList) -> DevicePublicKeys | None:
    """Return the keys of this device, None in a list of another account."""
    own = context.own
    return own.public_keys if device_list.account_key == own.account_key else None
