"""The four items that pass through a link slot (spec 03, "Items").

The companion puts the offer; then answer, acceptance and result follow, and instead of any of
these three a refusal may stand. All travel sealed: the relay sees only their place.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Literal

from msgspec import Meta

from untether.base.limits import COPIES_PER_ACCOUNT_MAX, LISTS_PER_ANSWER_MAX
from untether.wire.codec import Record
from untether.wire.content import DeviceNotice
from untether.wire.fields import (
    Bytes32,
    DeviceName,
    DevicePlatform,
    Millis,
    Name,
    Signature,
    SignedBytes,
)
from untether.wire.records import PrekeyStock, SignedObject

CompanionKind = Literal["web", "desktop", "tablet"]

RefusalCode = Literal[
    "link-cancelled",
    "link-clock",
    "link-declined",
    "link-expired",
    "link-limit-reached",
    "link-list-moved-on",
    "link-tampered",
    "link-verification-refused",
]
"""Why one side ended the link, as it tells the other."""


class LinkIndex(IntEnum):
    """Place of an item in its slot; the first item put into a place stays."""

    OFFER = 0
    ANSWER = 1
    ACCEPTANCE = 2
    RESULT = 3


class LinkOffer(Record, frozen=True):
    """From the companion: its public keys, what it is, and until when the offer may be taken."""

    signing_key: Bytes32
    agreement_key: Bytes32
    ephemeral: Bytes32
    name: DeviceName
    kind: CompanionKind
    expires_at: Millis
    platform: DevicePlatform = ""


class LinkAnswer(Record, frozen=True, tag="answer"):
    """From the phone: whose device this becomes, its certificate, and who is there already."""

    account_key: Bytes32
    account_name: Name
    phone_name: DeviceName
    certificate: SignedBytes
    account_signature: Signature
    current_list: SignedObject
    notices: Annotated[tuple[DeviceNotice, ...], Meta(max_length=COPIES_PER_ACCOUNT_MAX)] = ()


class LinkAcceptance(Record, frozen=True, tag="acceptance"):
    """From the companion, after “yes, mine”: it signs its certificate and brings prekeys."""

    device_signature: Signature
    prekeys: PrekeyStock


class LinkAdmission(Record, frozen=True, tag="admission"):
    """From the phone: the lists after ``current_list``, ending with one that has the companion."""

    lists: Annotated[tuple[SignedObject, ...], Meta(min_length=1, max_length=LISTS_PER_ANSWER_MAX)]


class LinkRefusal(Record, frozen=True, tag="refusal"):
    """From either side: the link ends here."""

    code: RefusalCode


LinkItemRecord = LinkAnswer | LinkAcceptance | LinkAdmission | LinkRefusal
"""What may stand, sealed, at places 1 to 3."""
