"""Whose mail a mailbox still has room for (spec 08, "Submission").

An account may have in a mailbox a fraction of what is free there, by count and by size. So one
alone can take a quarter of it, many can't fill it between them, and who has nothing in it always
finds room. Switches share their buffers in this way: Choudhury and Hahne, "Dynamic queue length
thresholds for shared-memory packet switches", IEEE/ACM Transactions on Networking 6(2), 1998.
"""

from __future__ import annotations

from untether.base.identifiers import AccountId
from untether.base.limits import MAILBOX_BYTES_MAX, MAILBOX_ENTRIES_MAX, SENDERS_IN_FREE_ROOM
from untether.relay.rows import DeviceRow
from untether.relay.transaction import RelayTransaction


async def has_room(tx: RelayTransaction, mailbox: DeviceRow, sender: AccountId, size: int) -> bool:
    """Tell whether an entry of ``size`` bytes from an account fits beside what it has there.

    If even everything in the mailbox would be little enough for one sender, nothing is read.
    """
    if _is_little(mailbox, mailbox.entries, mailbox.bytes + size):
        return True
    load = await tx.sender_load(mailbox.address, sender)
    return _is_little(mailbox, load.entries, load.bytes + size)


def _is_little(mailbox: DeviceRow, entries: int, size: int) -> bool:
    """Tell whether several senders with so much would fit into what is free."""
    return (
        entries * SENDERS_IN_FREE_ROOM < MAILBOX_ENTRIES_MAX - mailbox.entries
        and size * SENDERS_IN_FREE_ROOM <= MAILBOX_BYTES_MAX - mailbox.bytes
    )
