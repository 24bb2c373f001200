"""Frames from the relay to a device (spec 08, "Answers" and "Pushes").

An answer repeats the token of its request; a push has token 0.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from untether.base.limits import UNACKNOWLEDGED_MAX
from untether.wire.client_frames import AbsenceReason
from untether.wire.codec import Record
from untether.wire.fields import (
    AccountIdField,
    Bytes32,
    DeviceNumberField,
    Header,
    LeaseMillis,
    LinkItem,
    LinkOfferItem,
    MessageIdField,
    Millis,
    PushKey,
    RelayIdField,
    SealedBody,
    SlotIdField,
    Uint53,
)
from untether.wire.records import AccountLists, DeviceActivity, ListHead, PrekeyBundle, Stamp

RelayCode = Annotated[str, Meta(max_length=64, pattern=r"^[a-z]+(-[a-z]+)*\Z")]
"""A code reaches people's terminals and logs, and may come from a relay that lies."""


class Challenge(Record, frozen=True, tag="challenge"):
    """The relay's first frame: who it is, what to sign, what time it has, what it allows.

    A longest lease that no phone could choose, or that no verifier takes, is malformed.
    """

    relay_id: RelayIdField
    nonce: Bytes32
    relay_time: Millis
    registration: Literal["open", "invitation", "closed"]
    lease_max_ms: LeaseMillis


class Welcome(Record, frozen=True, tag="welcome"):
    """The login of a listed device holds.

    ``counter`` is the highest of its logins before this one: a device that sent no higher one
    runs on a database put back from a copy.
    """

    counter: Uint53
    head: ListHead
    one_time_prekeys: Uint53
    mailbox_entries: Uint53


class NotListed(Record, frozen=True, tag="not-listed"):
    """The key is certified, but the newest list lacks it: all that a device may see to judge."""

    account: AccountLists


class Done(Record, frozen=True, tag="done"):
    """The request was carried out, or had been before; ``relay_time`` is when."""

    relay_time: Millis


class Refused(Record, frozen=True, tag="refused"):
    """The request changed nothing; ``code`` is one of spec 08, "Refusals"."""

    code: RelayCode
    retry_after_ms: Uint53 = 0


PASSING_REFUSALS: Final = frozenset({"rate-limited", "relay-failure"})
"""Refusals that say nothing about the request: the same bytes may be taken later."""


class Lists(Record, frozen=True, tag="lists"):
    """Answer to FetchLists, and to a publication that does not extend the newest list."""

    account_id: AccountIdField
    account: AccountLists


class Bundles(Record, frozen=True, tag="bundles"):
    """Answer to ClaimPrekeys; a device without prekeys at the relay is left out."""

    bundles: tuple[PrekeyBundle, ...]


class PrekeysStored(Record, frozen=True, tag="prekeys-stored"):
    """Answer to DepositPrekeys: how many one-time pairs are there now."""

    one_time: Uint53


class Accepted(Record, frozen=True, tag="accepted"):
    """Every copy for this account is durable."""

    account_id: AccountIdField
    accepted_at: Millis


class ListsChanged(Record, frozen=True, tag="lists-changed"):
    """Nothing was stored for this account: seal again for these lists."""

    account_id: AccountIdField
    account: AccountLists


class AccountRefused(Record, frozen=True, tag="account-refused"):
    """Nothing was stored for this account, e.g. ``mailbox-full`` or ``no-such-account``."""

    account_id: AccountIdField
    code: RelayCode
    retry_after_ms: Uint53 = 0


class Submitted(Record, frozen=True, tag="submitted"):
    """Answer to Submit and SubmitDirect: one verdict per account."""

    message_id: MessageIdField
    verdicts: tuple[Accepted | ListsChanged | AccountRefused, ...]


class Entry(Record, frozen=True):
    """One mailbox entry. Without ``header`` it is a placeholder and ``absent`` says why."""

    stamp: Stamp
    sender: AccountIdField
    sender_device: DeviceNumberField
    accepted_at: Millis
    message_id: MessageIdField
    header: Header | None
    body: SealedBody | None
    absent: AbsenceReason | None = None


class Deliveries(Record, frozen=True, tag="deliveries"):
    """Push: entries in order; ``remaining`` wait behind them.

    ``dropped`` entries were lost to age or to a full mailbox. They are named again in each
    first push until the device acknowledges ``gap_at`` or a later stamp, having noted the gap.
    The first push after StartReceiving comes even when it is empty.
    """

    entries: Annotated[tuple[Entry, ...], Meta(max_length=UNACKNOWLEDGED_MAX)]
    remaining: Uint53 = 0
    dropped: Uint53 = 0
    gap_at: Stamp | None = None


class Status(Record, frozen=True, tag="status"):
    """Answer to FetchStatus. ``push_key`` is there when this relay wakes devices."""

    mailbox_entries: Uint53
    one_time_prekeys: Uint53
    activity: tuple[DeviceActivity, ...]
    push_key: PushKey | None = None


class LinkOffered(Record, frozen=True, tag="link-offered"):
    """Answer to ClaimLinkSlot."""

    offer: LinkOfferItem


class LinkContent(Record, frozen=True, tag="link-content"):
    """Answer to GetLinkItem."""

    item: LinkItem | None


class LinkSlotOpened(Record, frozen=True, tag="slot-opened"):
    """Answer to OpenLinkSlot."""

    expires_at: Millis


class LinkNews(Record, frozen=True, tag="link-news"):
    """Push: the other side put an item into a slot."""

    slot_id: SlotIdField
    index: Uint53


class ListNews(Record, frozen=True, tag="list-news"):
    """Push: the own account has a newer list."""

    head: ListHead


class Displaced(Record, frozen=True, tag="displaced"):
    """Push: another socket of this device receives now."""


class LoggedOut(Record, frozen=True, tag="logged-out"):
    """Push, then the socket closes: the newest list lacks this device."""

    account: AccountLists


ServerFrame = (
    Challenge
    | Welcome
    | NotListed
    | Done
    | Refused
    | Lists
    | Bundles
    | PrekeysStored
    | Submitted
    | Deliveries
    | Status
    | LinkOffered
    | LinkContent
    | LinkSlotOpened
    | LinkNews
    | ListNews
    | Displaced
    | LoggedOut
)


class Answer(Record, frozen=True):
    """What travels to the device."""

    token: Uint53
    frame: ServerFrame
