"""Messages that did not come, known by their counters (spec 07, "Gaps").

Theory of operation. Each device counts its messages in each conversation. Whoever opens number 7
after number 4 knows that two are missing, whatever the relay says. That may be a moment's
disorder, so people are told only after MISSING_TOLD_MS. What came and could not be opened has been
told with its cause already. A message that comes after all closes its gap, and takes back the
notice if nobody has seen it.

Mail that waits for a list hides no gap: it is of devices that are not known yet, while a gap is of
one that is, and a relay can plant such mail.

Where a device did not get everything from number 1 on, e.g. because it was linked later, the first
number that it hears is where it begins.
"""

from __future__ import annotations

from itertools import groupby

from untether.base.identifiers import AccountId, UnixMillis
from untether.base.limits import MISSING_TOLD_MS
from untether.device import directory
from untether.device.context import Context
from untether.device.senders import Sender, SenderKind
from untether.device.store import gaps, inbox, notices, peers, repairs
from untether.device.store.gaps import Gap
from untether.protocol.identity.certificate import Role

_FIRST_GENERATION = 0


def heard(context: Context, sender: Sender, other: AccountId, counter: int) -> None:
    """A message with this counter was opened: it may close a gap, or leave one before it."""
    known = gaps.highest(context.database, sender.row, other)
    if known is None:
        begins = 0 if _got_everything(context, sender) else counter - 1
        known = begins, UnixMillis(0)
    highest, heard_at = known
    if counter <= highest:
        _close(context, sender, other, counter)
        return
    gaps.save_highest(context.database, sender.row, other, counter, context.now)
    if counter > highest + 1:
        gap = Gap(sender.row, other, highest + 1, counter - 1, heard_at, context.now)
        gaps.add(context.database, gap)
        context.wake_at(UnixMillis(context.now + MISSING_TOLD_MS))


def tell_due(context: Context) -> None:
    """Tell people of messages that are missing by now, once for each sending device."""
    due = gaps.untold(context.database, UnixMillis(context.now - MISSING_TOLD_MS))
    for peer, found in groupby(due, key=lambda gap: gap.peer):
        account, device = peers.address_of(context.database, peer)
        of_device = list(found)
        count = _untold_count(context, of_device)
        notice = gaps.TOLD_OTHERWISE
        if count:
            notice = context.notice("messages-missing", account, device=device, count=count)
        for gap in of_device:
            gaps.mark_told(context.database, gap, notice)


def _got_everything(context: Context, sender: Sender) -> bool:
    """Tell whether whatever a device has ever counted was meant for this device too."""
    own = context.own
    if sender.kind is SenderKind.OWN:
        return sender.device > own.device or _is_first_phone(context)
    held = directory.held_list(context, sender.account_id)
    if held is None or not _is_first_phone(context):
        return False
    is_phone = held.primary.device == sender.device
    return not is_phone or held.head.generation == _FIRST_GENERATION


def _is_first_phone(context: Context) -> bool:
    """Tell whether this device has been in its account from the beginning."""
    own = context.own
    return own.role is Role.PRIMARY and own.generation == _FIRST_GENERATION


def _close(context: Context, sender: Sender, other: AccountId, counter: int) -> None:
    gap = gaps.with_counter(context.database, sender.row, other, counter)
    if gap is None:
        return
    gaps.close(context.database, gap, counter)
    if gap.notice:
        left = _untold_count(context, gaps.told_by(context.database, gap.notice))
        notices.recount(context.database, gap.notice, left)


def _untold_count(context: Context, found: list[Gap]) -> int:
    """Return how many messages nothing else has told of: those that can't be opened were."""
    count = 0
    for gap in found:
        account, device = peers.address_of(context.database, gap.peer)
        told = inbox.count_given_up_between(
            context.database, account, device, gap.before, gap.noticed_at
        )
        told += repairs.count_begun_between(context.database, gap.peer, gap.before, gap.noticed_at)
        count += max(0, gap.size - told)
    return count
