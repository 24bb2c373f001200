"""Submissions: a sealed body once, a header for each device (spec 08, "Submission").

Theory of operation
-------------------
A sender seals for device lists that it holds. The relay compares, account by account and in
the transaction that stores, the named list head with the newest one, and the set of devices
with the devices that are present. So no message is accepted that misses a device added
meanwhile, or that reaches one logged out meanwhile; the answer then carries the signed lists,
and the sender repeats for that account alone.

First all accounts are judged, which only reads; then the accepted ones are stored. A judgement
is one of the verdicts of the wire, or a :class:`Plan`: what to put into which mailbox.

A mailbox without room for an entry (:mod:`.mailbox_room`) gets a *gap* in its place, so that one
device that nobody empties doesn't silence its account: the device is told of the gap, and tells
its user. Only if no
device at all can take its copy, nothing is stored and the sender hears ``mailbox-full``.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from msgspec import Struct

from untether.base.identifiers import AccountId, DeviceAddress, DeviceNumber, UnixMillis
from untether.base.limits import (
    LISTS_OF_VERDICTS_BYTES_MAX,
    MAILBOX_FULL_RETRY_MS,
)
from untether.relay.admission import count
from untether.relay.budgets import RECIPIENTS
from untether.relay.lists import account_lists, head_of
from untether.relay.mailbox_room import has_room
from untether.relay.outcome import Call, Decision, Refusal, WakeMailbox
from untether.relay.rows import (
    ALL_DEVICES,
    AccountRow,
    DeviceRow,
    EntryRow,
    SubmissionKey,
)
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import Copy, Recipient, Submit, SubmitDirect
from untether.wire.server_frames import Accepted, AccountRefused, ListsChanged, Submitted

Verdict = Accepted | ListsChanged | AccountRefused


class Plan(Struct, frozen=True):
    """One account's copies that are going to be stored, and devices that get a gap.

    ``sealed`` copies of them have a header, and refer to the body.
    """

    key: SubmissionKey
    copies: Sequence[tuple[DeviceRow, Copy]]
    gaps: Sequence[DeviceRow]
    sealed: int


class Message(Struct, frozen=True):
    """What all judgements of one submission share."""

    sender: DeviceAddress
    request: Submit | SubmitDirect
    now: UnixMillis

    def key(self, account_id: AccountId, target: int) -> SubmissionKey:
        """Return what a repetition of this submission for the account is known by."""
        sender, number = self.sender
        return SubmissionKey(account_id, sender, number, self.request.message_id, target)


def count_recipients(call: Call, request: Submit) -> Submit:
    """Count the accounts that are written to: that each was is remembered for a month."""
    written_to = sum(bool(recipient.copies) for recipient in request.recipients)
    count(call, call.address.account_id, RECIPIENTS, written_to)
    return request


def count_recipient(call: Call, request: SubmitDirect) -> SubmitDirect:
    """Count the account that is written to, like :func:`count_recipients`."""
    count(call, call.address.account_id, RECIPIENTS, 1)
    return request


async def submit(tx: RelayTransaction, call: Call, request: Submit) -> Decision:
    """Judge every account, then store for the accepted ones."""
    _check_shape(request)
    message = Message(call.address, request, call.now)
    room = LISTS_OF_VERDICTS_BYTES_MAX
    judgements: list[Verdict | Plan] = []
    for recipient in request.recipients:
        judgement = await _judge(tx, message, recipient, room)
        judgements.append(judgement)
        if isinstance(judgement, ListsChanged):
            room -= sum(len(signed.body) for signed in judgement.account.lists)
    return await _store(tx, message, judgements)


async def submit_direct(tx: RelayTransaction, call: Call, request: SubmitDirect) -> Decision:
    """Store a control message for one device; only head and presence are compared."""
    message = Message(call.address, request, call.now)
    return await _store(tx, message, [await _judge_direct(tx, message, request)])


def _check_shape(request: Submit) -> None:
    """Refuse what no list could make right: repetitions, copies with neither or both parts."""
    if _repeats([recipient.account_id for recipient in request.recipients]):
        raise Refusal("malformed")
    for recipient in request.recipients:
        copies = recipient.copies
        if len(copies) > 1 and _repeats([copy.device for copy in copies]):
            raise Refusal("malformed")
        for copy in copies:
            if (copy.header is None) == (copy.absent is None):
                raise Refusal("malformed")


def _repeats(values: Sequence[Hashable]) -> bool:
    return len(set(values)) < len(values)


async def _judge(
    tx: RelayTransaction, message: Message, recipient: Recipient, room: int
) -> Verdict | Plan:
    account_id, key = recipient.account_id, message.key(recipient.account_id, ALL_DEVICES)
    accepted_at = await tx.submission(key)
    if accepted_at is not None:
        return Accepted(account_id, accepted_at)
    account = await tx.account(account_id)
    if account is None:
        return AccountRefused(account_id, "no-such-account")
    if not is_newest(account, recipient) or not covers_devices(account, recipient, message):
        lists = await account_lists(tx, account, recipient.head, room)
        return ListsChanged(account_id, lists)
    if not recipient.copies and account_id == message.sender.account_id:
        return Accepted(account_id, message.now)  # a lone device: there is nothing to remember
    return await _plan(tx, message, key, recipient.copies)


def is_newest(account: AccountRow, recipient: Recipient | SubmitDirect) -> bool:
    """Compare the head that the sender sealed for with the newest list."""
    return recipient.head == head_of(account)


def covers_devices(account: AccountRow, recipient: Recipient, message: Message) -> bool:
    """Compare the copies with the devices that are present.

    Every present device needs a copy or a reason, and only present ones may have a header. A
    device that the sender knows to have resigned may be named as such. When the lease has
    ended, the phone alone is enough. The sending device is never among them.
    """
    present = _others(account, account.present, message.sender)
    named = {copy.device for copy in recipient.copies if copy.absent != "resigned"}
    if named == present:
        return True
    resigned = {copy.device for copy in recipient.copies if copy.absent == "resigned"}
    if named < present <= named | resigned:
        return True
    phone = _others(account, (account.primary,), message.sender)
    return account.expires_at <= message.now and named == phone


def _others(
    account: AccountRow, devices: Sequence[DeviceNumber], sender: DeviceAddress
) -> set[DeviceNumber]:
    others = set(devices)
    if account.account_id == sender.account_id:
        others.discard(sender.device)
    return others


async def _judge_direct(
    tx: RelayTransaction, message: Message, request: SubmitDirect
) -> Verdict | Plan:
    account_id, key = request.account_id, message.key(request.account_id, request.device)
    accepted_at = await tx.submission(key)
    if accepted_at is not None:
        return Accepted(account_id, accepted_at)
    account = await tx.account(account_id)
    if account is None:
        return AccountRefused(account_id, "no-such-account")
    if (account_id, request.device) == message.sender:
        raise Refusal("malformed")
    if not is_newest(account, request) or request.device not in account.present:
        lists = await account_lists(tx, account, request.head, LISTS_OF_VERDICTS_BYTES_MAX)
        return ListsChanged(account_id, lists)
    return await _plan(tx, message, key, [Copy(request.device, request.header)])


async def _plan(
    tx: RelayTransaction, message: Message, key: SubmissionKey, copies: Sequence[Copy]
) -> Plan | AccountRefused:
    """Find room for every copy; a header needs room in at least one mailbox."""
    fitting: list[tuple[DeviceRow, Copy]] = []
    gaps: list[DeviceRow] = []
    sealed = fitting_sealed = 0
    for copy in copies:
        if copy.absent == "resigned":
            continue
        row = await tx.device(DeviceAddress(key.account_id, copy.device))
        if row is None:
            raise LookupError("a present device without its row")
        size = _size(message, copy)
        sealed += copy.header is not None
        if await has_room(tx, row, message.sender.account_id, size):
            fitting.append((row, copy))
            fitting_sealed += copy.header is not None
        else:
            gaps.append(row)
    if sealed and not fitting_sealed:
        return AccountRefused(key.account_id, "mailbox-full", MAILBOX_FULL_RETRY_MS)
    if not sealed and key.account_id != message.sender.account_id:
        return AccountRefused(key.account_id, "nothing-sealed")
    return Plan(key, fitting, gaps, fitting_sealed)


def _size(message: Message, copy: Copy) -> int:
    return len(copy.header) + len(message.request.body) if copy.header else 0


async def _store(
    tx: RelayTransaction, message: Message, judgements: Sequence[Verdict | Plan]
) -> Decision:
    references = sum([one.sealed for one in judgements if isinstance(one, Plan)])
    body_id = await tx.add_body(message.request.body, references) if references else None
    verdicts: list[Verdict] = []
    effects: list[WakeMailbox] = []
    for judgement in judgements:
        if not isinstance(judgement, Plan):
            verdicts.append(judgement)
            continue
        await tx.add_submission(judgement.key, message.now)
        for row, copy in judgement.copies:
            await _put_copy(tx, message, row, copy, body_id)
            effects.append(WakeMailbox(row.address))
        for row in judgement.gaps:
            await _put_gap(tx, row)
            effects.append(WakeMailbox(row.address))
        verdicts.append(Accepted(judgement.key.account_id, message.now))
    return Decision(Submitted(message.request.message_id, tuple(verdicts)), tuple(effects))


async def _put_copy(
    tx: RelayTransaction, message: Message, row: DeviceRow, copy: Copy, body_id: int | None
) -> None:
    size = _size(message, copy)
    filled = row.with_entry(size)
    entry = EntryRow(
        filled.account_id,
        filled.device,
        filled.last_number,
        *message.sender,
        message.now,
        message.request.message_id,
        copy.header,
        copy.absent,
        body_id if copy.header else None,
        size,
    )
    await tx.add_entry(entry)
    await tx.put_device(filled)


async def _put_gap(tx: RelayTransaction, row: DeviceRow) -> None:
    number = row.last_number + 1
    await tx.put_device(
        row._replace(last_number=number, dropped=row.dropped + 1, dropped_up_to=number)
    )
