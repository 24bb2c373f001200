"""Frames from a device to its relay (spec 08, "Requests").

Each frame travels as ``[token, frame]``; the relay's answer repeats the token. A frame with
token 0 wants no answer. Who may send what stands in :data:`untether.relay.requests.RULES`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from untether.base.limits import (
    ACCOUNTS_PER_SUBMIT_MAX,
    COPIES_PER_ACCOUNT_MAX,
    INVITATION_CODE_MAX,
    LINK_ITEMS_MAX,
    LISTS_PER_ANSWER_MAX,
    ORIGIN_MAX,
    PUSH_ENDPOINT_MAX,
    WIPE_ORDERS_PER_PUBLICATION_MAX,
)
from untether.wire.codec import Record
from untether.wire.fields import (
    AccountIdField,
    Bytes32,
    DeviceNumberField,
    Header,
    LinkItem,
    LinkOfferItem,
    MessageIdField,
    Name,
    SealedBody,
    Signature,
    SlotIdField,
    Uint53,
)
from untether.wire.records import ListHead, PrekeyStock, SignedCertificate, SignedObject, Stamp

ListRun = Annotated[tuple[SignedObject, ...], Meta(min_length=1, max_length=LISTS_PER_ANSWER_MAX)]
LinkIndex = Annotated[int, Meta(ge=0, lt=LINK_ITEMS_MAX)]

AbsenceReason = Literal["unsealable", "asleep", "lease-expired", "resigned"]
"""Why a device of the set gets no sealed header; it receives a placeholder instead."""


class Login(Record, frozen=True, tag="login"):
    """Prove a certified device key (spec 08, "Login"); ``counter`` rises by one each time."""

    certificate: SignedCertificate
    nonce: Bytes32
    origin: Annotated[str, Meta(max_length=ORIGIN_MAX)]
    counter: Uint53
    signature: Signature


class Register(Record, frozen=True, tag="register"):
    """Admit a new account: its first list and its phone's prekeys, all or nothing."""

    name: Name
    lists: ListRun
    prekeys: PrekeyStock
    invitation: Annotated[str, Meta(max_length=INVITATION_CODE_MAX)] | None = None


class Recover(Record, frozen=True, tag="recover"):
    """Admit a list of a higher generation with the new phone's prekeys, all or nothing."""

    account_id: AccountIdField
    lists: ListRun
    prekeys: PrekeyStock


class PublishLists(Record, frozen=True, tag="publish"):
    """Extend the own account's chain; a newly listed companion brings its prekeys."""

    lists: ListRun
    device: DeviceNumberField | None = None
    prekeys: PrekeyStock | None = None
    wipe_orders: Annotated[
        tuple[SignedObject, ...], Meta(max_length=WIPE_ORDERS_PER_PUBLICATION_MAX)
    ] = ()


class FetchLists(Record, frozen=True, tag="fetch-lists"):
    """Ask for an account's lists from the one after ``after`` onwards, else just the newest."""

    account_id: AccountIdField
    after: ListHead | None = None


class ResolveName(Record, frozen=True, tag="resolve-name"):
    """Ask which account has a name; answered with its newest list."""

    name: Name


class Resign(Record, frozen=True, tag="resign"):
    """A companion logs itself out for ever, by its own signature."""

    resignation: SignedObject


class DepositPrekeys(Record, frozen=True, tag="deposit-prekeys"):
    """Store prekeys; repeated uploads change nothing. ``replace`` empties the stock first."""

    prekeys: PrekeyStock
    replace: bool = False


class ClaimPrekeys(Record, frozen=True, tag="claim-prekeys"):
    """Ask for prekeys of some devices of one account; each one-time pair is given once."""

    account_id: AccountIdField
    devices: Annotated[
        tuple[DeviceNumberField, ...], Meta(min_length=1, max_length=COPIES_PER_ACCOUNT_MAX)
    ]


class Copy(Record, frozen=True):
    """The sealed header for one device, or the reason why there is none."""

    device: DeviceNumberField
    header: Header | None
    absent: AbsenceReason | None = None


class Recipient(Record, frozen=True):
    """One account of a submission: the list it was sealed for and a copy per device."""

    account_id: AccountIdField
    head: ListHead
    copies: Annotated[tuple[Copy, ...], Meta(max_length=COPIES_PER_ACCOUNT_MAX)]


class Submit(Record, frozen=True, tag="submit"):
    """One message: the sealed body once, a header per device, decided account by account."""

    message_id: MessageIdField
    body: SealedBody
    recipients: Annotated[
        tuple[Recipient, ...], Meta(min_length=1, max_length=ACCOUNTS_PER_SUBMIT_MAX)
    ]


class SubmitDirect(Record, frozen=True, tag="submit-direct"):
    """One control message for one device; only head and presence are compared."""

    message_id: MessageIdField
    body: SealedBody
    account_id: AccountIdField
    head: ListHead
    device: DeviceNumberField
    header: Header


class StartReceiving(Record, frozen=True, tag="receive"):
    """Become the one receiving socket; ``acknowledged`` is the last stamp committed here."""

    acknowledged: Stamp | None = None


class Acknowledge(Record, frozen=True, tag="acknowledge"):
    """Everything up to this stamp is committed on the device; the relay deletes it."""

    up_to: Stamp


class FetchStatus(Record, frozen=True, tag="status"):
    """Ask for the own mailbox length, prekey stock and device activity."""


class SubscribePush(Record, frozen=True, tag="subscribe-push"):
    """Have this device woken at an address of its push service; a newer one replaces it."""

    endpoint: Annotated[str, Meta(max_length=PUSH_ENDPOINT_MAX)]


class UnsubscribePush(Record, frozen=True, tag="unsubscribe-push"):
    """Have this device woken no more."""


class OpenLinkSlot(Record, frozen=True, tag="open-slot"):
    """A companion opens a slot of its own choosing with its sealed offer."""

    slot_id: SlotIdField
    offer: LinkOfferItem


class ClaimLinkSlot(Record, frozen=True, tag="claim-slot"):
    """A phone takes a slot for its account, once, and gets the offer."""

    slot_id: SlotIdField


class PutLinkItem(Record, frozen=True, tag="put-link-item"):
    """Put answer (1), acceptance (2) or result (3) into a slot; the first one stays."""

    slot_id: SlotIdField
    index: LinkIndex
    item: LinkItem


class GetLinkItem(Record, frozen=True, tag="get-link-item"):
    """Read an item of a slot; the answer is empty while the other side has not put it."""

    slot_id: SlotIdField
    index: LinkIndex


ClientFrame = (
    Login
    | Register
    | Recover
    | PublishLists
    | FetchLists
    | ResolveName
    | Resign
    | DepositPrekeys
    | ClaimPrekeys
    | Submit
    | SubmitDirect
    | StartReceiving
    | Acknowledge
    | FetchStatus
    | SubscribePush
    | UnsubscribePush
    | OpenLinkSlot
    | ClaimLinkSlot
    | PutLinkItem
    | GetLinkItem
)


class Request(Record, frozen=True):
    """What travels to the relay."""

    token: Uint53
    frame: ClientFrame
