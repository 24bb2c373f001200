"""Clearing up what has had its time (spec 08, "Housekeeping").

One step deletes a bounded number of rows, so that mail does not wait behind it. A sweep walks
all devices once; the server starts one each hour and goes on while there is more.
"""

from __future__ import annotations

from typing import NamedTuple

from untether.base.identifiers import DeviceAddress, UnixMillis
from untether.base.limits import (
    HOUSEKEEPING_STEP_ROWS,
    IDEMPOTENCE_MS,
    MAIL_MS,
    PREKEY_MEMORY_MS,
)
from untether.relay import mailbox
from untether.relay.rows import DeviceRow
from untether.relay.transaction import RelayTransaction


class Sweep(NamedTuple):
    """Where a sweep stands: ``last`` is the last device whose mail was looked at."""

    last: DeviceAddress | None = None
    is_finished: bool = False


async def expire(tx: RelayTransaction, now: UnixMillis, sweep: Sweep) -> Sweep:
    """Do one step of a sweep; returns where it goes on."""
    full_step = await _forget(tx, now)
    rows = await tx.devices_after(sweep.last, HOUSEKEEPING_STEP_ROWS)
    room = HOUSEKEEPING_STEP_ROWS
    last = sweep.last
    for row in rows:
        if row.entries:
            room -= await _drop_old_mail(tx, row, now, room)
        if room <= 0:
            return Sweep(last)  # this device may have more
        last = row.address
    return Sweep(last, is_finished=not full_step and len(rows) < HOUSEKEEPING_STEP_ROWS)


async def _forget(tx: RelayTransaction, now: UnixMillis) -> bool:
    """Delete rows that only their age matters for; True when a step was not enough."""
    deleted = (
        await tx.delete_submissions(now - IDEMPOTENCE_MS, HOUSEKEEPING_STEP_ROWS),
        await tx.delete_handed_out_prekeys(now - PREKEY_MEMORY_MS, HOUSEKEEPING_STEP_ROWS),
        await tx.delete_claim_limits(now, HOUSEKEEPING_STEP_ROWS),
        await tx.delete_slots(now, HOUSEKEEPING_STEP_ROWS),
        await tx.delete_invitations(now, HOUSEKEEPING_STEP_ROWS),
    )
    return max(deleted) >= HOUSEKEEPING_STEP_ROWS


async def _drop_old_mail(tx: RelayTransaction, row: DeviceRow, now: UnixMillis, limit: int) -> int:
    """Drop old entries and note the gap; returns how many were dropped."""
    number = await tx.last_entry_before(row.address, now - MAIL_MS, limit)
    if not number:
        return 0
    left = await mailbox.delete_entries(tx, row, number)
    dropped = row.entries - left.entries
    await tx.put_device(
        left._replace(dropped=row.dropped + dropped, dropped_up_to=max(row.dropped_up_to, number))
    )
    return dropped
