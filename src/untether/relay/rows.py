"""The rows that a relay keeps (spec 08, "Storage"). Times are milliseconds since 1970.

Rows are tuples, as a database takes and gives them. What lives only inside a decision is a
``Struct``: it is made several times for each message, in a fraction of a tuple's time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from untether.base.identifiers import (
    AccountId,
    DeviceAddress,
    DeviceNumber,
    MessageId,
    SlotId,
    UnixMillis,
)
from untether.wire.client_frames import AbsenceReason

ALL_DEVICES: Final = -1
"""Stands for the target of a submission to a whole account."""


class AccountRow(NamedTuple):
    """One account and what its newest list says, so that no submission needs to parse it.

    ``present`` are the devices that are listed and have not resigned, ascending.
    """

    account_id: AccountId
    account_key: bytes
    name: str
    generation: int
    version: int
    list_hash: bytes
    expires_at: UnixMillis
    primary: DeviceNumber
    present: tuple[DeviceNumber, ...]


class ListRow(NamedTuple):
    """One signed device list; all of them are kept."""

    account_id: AccountId
    generation: int
    version: int
    hash: bytes
    body: bytes
    signature: bytes


class StatementRow(NamedTuple):
    """A signed word about one device that is served beside the lists."""

    account_id: AccountId
    kind: Literal["resignation", "wipe-order"]
    device: DeviceNumber
    body: bytes
    signature: bytes


class DeviceRow(NamedTuple):
    """A device's mailbox and login state.

    The stamp of an entry is (``incarnation``, its number); ``last_number`` is the highest
    given so far. ``dropped`` entries up to number ``dropped_up_to`` were lost to age or to a full
    mailbox, and the device has not confirmed that it knows.
    """

    account_id: AccountId
    device: DeviceNumber
    incarnation: int
    last_number: int
    entries: int
    bytes: int
    dropped: int
    dropped_up_to: int
    login_counter: int
    last_active_at: UnixMillis

    @property
    def address(self) -> DeviceAddress:
        """Whose row it is."""
        return DeviceAddress(self.account_id, self.device)

    def with_entry(self, size: int) -> DeviceRow:
        """Return the row after one more entry, whose number is ``last_number`` then."""
        return DeviceRow(
            self.account_id,
            self.device,
            self.incarnation,
            self.last_number + 1,
            self.entries + 1,
            self.bytes + size,
            self.dropped,
            self.dropped_up_to,
            self.login_counter,
            self.last_active_at,
        )


class EntryRow(NamedTuple):
    """One mailbox entry; ``size`` counts header and body, a placeholder has no body."""

    account_id: AccountId
    device: DeviceNumber
    number: int
    sender: AccountId
    sender_device: DeviceNumber
    accepted_at: UnixMillis
    message_id: MessageId
    header: bytes | None
    absent: AbsenceReason | None
    body_id: int | None
    size: int


class StoredEntry(NamedTuple):
    """An entry with its body, as delivery reads it."""

    row: EntryRow
    body: bytes | None


class RemovedEntries(NamedTuple):
    """What a deletion took out of a mailbox; ``bodies`` says how often each was named."""

    entries: int
    bytes: int
    bodies: Mapping[int, int]


class SenderLoad(NamedTuple):
    """How much of a mailbox comes from one account."""

    entries: int
    bytes: int


class SubmissionKey(NamedTuple):
    """What makes a submission the same one for a recipient account.

    ``target`` is the device of a direct submission, :data:`ALL_DEVICES` for the others.
    """

    account_id: AccountId
    sender: AccountId
    sender_device: DeviceNumber
    message_id: MessageId
    target: int


class PrekeyRow(NamedTuple):
    """A rotating pair (one for each device) or a one-time pair."""

    account_id: AccountId
    device: DeviceNumber
    prekey_id: bytes
    serial: int
    body: bytes
    signature: bytes


class SlotRow(NamedTuple):
    """A link slot and the device that claimed it."""

    slot_id: SlotId
    expires_at: UnixMillis
    claimed_by: DeviceAddress | None
