"""What a receiving connection is sent next (spec 08, "Delivery").

Delivery always reads from the store, behind the last stamp that it pushed. A wake-up carries
no mail, so one that is lost or comes twice delays or costs a reading, and nothing else.
"""

from __future__ import annotations

from untether.base.identifiers import DeviceAddress
from untether.base.limits import DELIVERIES_BYTES_MAX
from untether.relay.rows import DeviceRow, StoredEntry
from untether.relay.transaction import RelayStore, RelayTransaction
from untether.wire.records import Stamp
from untether.wire.server_frames import Deliveries, Entry


async def next_deliveries(
    store: RelayStore, address: DeviceAddress, after: Stamp | None, window: int
) -> Deliveries:
    """Return up to ``window`` entries behind ``after``, the last stamp pushed here.

    ``window`` is what the device may still get before it acknowledges. A device that was
    logged out meanwhile has no mail.
    """
    return await store.transact(_read, address, after, window)


async def _read(
    tx: RelayTransaction, address: DeviceAddress, after: Stamp | None, window: int
) -> Deliveries:
    row = await tx.device(address)
    if row is None:
        return Deliveries(())
    number = after.number if after and after.incarnation == row.incarnation else 0
    stored = await tx.entries(address, number, count_max=window, bytes_max=DELIVERIES_BYTES_MAX)
    last = stored[-1].row.number if stored else number
    gap_is_news = row.dropped and row.dropped_up_to > number
    return Deliveries(
        entries=tuple(_entry(row, one) for one in stored),
        remaining=await _count_behind(tx, row, last),
        dropped=row.dropped if gap_is_news else 0,
        gap_at=Stamp(row.incarnation, row.dropped_up_to) if gap_is_news else None,
    )


async def _count_behind(tx: RelayTransaction, row: DeviceRow, last: int) -> int:
    """Count from the front: there are few, whereas a whole mailbox may wait behind."""
    return 0 if last == row.last_number else row.entries - await tx.count_entries(row.address, last)


def _entry(device: DeviceRow, stored: StoredEntry) -> Entry:
    row = stored.row
    return Entry(
        stamp=Stamp(device.incarnation, row.number),
        sender=row.sender,
        sender_device=row.sender_device,
        accepted_at=row.accepted_at,
        message_id=row.message_id,
        header=row.header,
        body=stored.body,
        absent=row.absent,
    )
