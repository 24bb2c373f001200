"""Mailboxes: one for each device, emptied by its acknowledgements (spec 08, "Mailbox").

A stamp is (incarnation, number). Numbers ascend without ever returning, so "up to this stamp"
is one range. A relay put back from an old copy has forgotten numbers that devices have seen
since, and may give them again before such a device comes back. So each start of the relay is an
incarnation of its own, above all earlier ones: a mailbox goes on under it when its device
receives again, everything in it is pushed again, and no stamp means two entries. Should the
clock have gone back with the copy, a device's claim of a stamp beyond the mailbox shows it.
"""

from __future__ import annotations

from untether.base.identifiers import SECOND_MS, DeviceAddress, UnixMillis
from untether.base.limits import INCARNATION_MAX
from untether.relay.outcome import Call, Decision, Refusal, StartDelivery
from untether.relay.rows import DeviceRow
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import Acknowledge, StartReceiving
from untether.wire.records import Stamp
from untether.wire.server_frames import Done

_INCARNATION_SETTING = "incarnation"


async def begin_incarnation(tx: RelayTransaction, now: UnixMillis) -> int:
    """Number a start of the relay above all before it, also above those that a copy forgot."""
    kept = await tx.setting(_INCARNATION_SETTING)
    last = int.from_bytes(kept, "big") if kept is not None else 0
    incarnation = max(last + 1, now // SECOND_MS)
    await tx.put_setting(_INCARNATION_SETTING, incarnation.to_bytes(8, "big"))
    return incarnation


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
    if row.incarnation < call.session.rules.incarnation:
        row = row._replace(incarnation=call.session.rules.incarnation)
        await tx.put_device(row)
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
    """Delete all that a device has at the relay: mailbox, prekeys, push endpoint, login state."""
    removed = await tx.delete_entries(address, 2**63 - 1)
    await tx.release_bodies(removed.bodies)
    await tx.delete_prekeys(address)
    await tx.delete_push_endpoint(address)
    await tx.delete_device(address)
