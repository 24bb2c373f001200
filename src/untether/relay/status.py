"""What a device asks about its mailbox, its stock and its account (spec 08, "Requests")."""

from __future__ import annotations

from untether.relay.mailbox import own_row
from untether.relay.outcome import Call, Decision
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import FetchStatus
from untether.wire.records import DeviceActivity
from untether.wire.server_frames import Status


async def fetch_status(tx: RelayTransaction, call: Call, _request: FetchStatus) -> Decision:
    """Tell a device its mailbox and stock, and when its account's devices were last here."""
    rows = await tx.devices(call.address.account_id)
    own = await own_row(tx, call.address)
    return Decision(
        Status(
            mailbox_entries=own.entries,
            one_time_prekeys=await tx.count_one_time_prekeys(call.address),
            activity=tuple(DeviceActivity(row.device, row.last_active_at) for row in rows),
            push_key=call.session.rules.push_key,
        )
    )
