"""Mailboxes: one for each device, emptied by its acknowledgements (spec 08, "Mailbox").

A stamp is (incarnation, number). Numbers ascend without ever returning, so "up to this stamp"
is one range. A relay put back from an old copy has forgotten numbers that a device has seen
since; the device's claim of a stamp that the relay never gave shows it. Then the mailbox goes
on under a new incarnation: everything in it is pushed again, and no stamp means two entries.
"""

from __future__ import annotations

from untether.base.identifiers import DeviceAddress, UnixMillis
from untether.base.limits import INCARNATION_MAX
from untether.relay.outcome import Call, Decision, Refusal, StartDelivery
from untether.relay.rows import DeviceRow
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import Acknowledge, StartReceiving
from untether.wire.records import Stamp
from untether.wire.server_frames import Done


def new_device(address: DeviceAddress) -> DeviceRow:
    """Return the row of a device that was just listed."""
    return DeviceRow(
        account_id=address.account_id,
        device=address.device,
        incarnation=1,
        last_number=0,
        entries=0,
        bytes=0,
        dropped=0,
        dropped_up_to=0,
        login_counter=0,
        last_active_at=UnixMillis(0),
    )


async def own_row(tx: RelayTransaction, address: DeviceAddress) -> DeviceRow:
    """Return a present device's row; the caller's table has checked that it is present."""
    row = await tx.device(address)
    if row is None:
        raise LookupError("a present device without its row")
    return row


async def start_receiving(tx: RelayTransaction, call: Call, request: StartReceiving) -> Decision:
    """Acknowledge what the device has, and make the connection the one that receives."""
    row = await own_row(tx, call.address)
    stamp = request.acknowledged
    if stamp is not None and _is_ahead(stamp, row):
        if stamp.incarnation >= INCARNATION_MAX:
            raise Refusal("bad-stamp")
        incarnation = max(stamp.incarnation, row.incarnation) + 1
        await tx.put_device(row._replace(incarnation=incarnation))
    elif stamp is not None:
        await _delete_up_to(tx, row, stamp)
    return Decision(Done(call.now), (StartDelivery(call.address),))


async def acknowledge(tx: RelayTransaction, call: Call, request: Acknowledge) -> Decision:
    """Delete everything up to a stamp; one of an older incarnation changes nothing."""
    row = await own_row(tx, call.address)
    if _is_ahead(request.up_to, row):
        raise Refusal("bad-stamp")
    await _delete_up_to(tx, row, request.up_to)
    return Decision(Done(call.now))


def _is_ahead(stamp: Stamp, row: DeviceRow) -> bool:
    return stamp > Stamp(row.incarnation, row.last_number)


async def _delete_up_to(tx: RelayTransaction, row: DeviceRow, stamp: Stamp) -> None:
    if stamp.incarnation != row.incarnation or not (row.entries or row.dropped):
        return
    if row.dropped and stamp.number >= row.dropped_up_to:
        row = row._replace(dropped=0)
    await tx.put_device(await delete_entries(tx, row, stamp.number))


async def delete_entries(tx: RelayTransaction, row: DeviceRow, up_to: int) -> DeviceRow:
    """Delete entries and release their bodies; returns the row to be written."""
    removed = await tx.delete_entries(row.address, up_to)
    if not removed.entries:
        return row
    await tx.release_bodies(removed.bodies)
    return row._replace(entries=row.entries - removed.entries, bytes=row.bytes - removed.bytes)


async def erase(tx: RelayTransaction, address: DeviceAddress) -> None:
    """Delete all that a device has at the relay: mailbox, prekeys, login state."""
    removed = await tx.delete_entries(address, 2**63 - 1)
    await tx.release_bodies(removed.bodies)
    await tx.delete_prekeys(address)
    await tx.delete_device(address)
