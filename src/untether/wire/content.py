"""What people and devices say to each other, inside the encryption (spec 05, "Content").

A kind that is not built yet is absent; an unknown tag is refused like any malformed content.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from untether.base.identifiers import MessageId
from untether.base.limits import (
    BODY_MAX,
    LISTS_PER_ANSWER_MAX,
    RECEIPT_BATCH_MAX,
    REPAIR_BATCH_MAX,
    TEXT_MAX,
)
from untether.wire.codec import Record
from untether.wire.fields import (
    AccountIdField,
    Bytes16,
    Bytes32,
    DeviceName,
    DeviceNumberField,
    DevicePlatform,
    MessageIdField,
    Millis,
    Uint53,
)
from untether.wire.records import ListHead, SignedObject

DeviceKind = Literal["phone", "web", "desktop", "tablet"]


class DirectConversation(Record, frozen=True, tag="direct"):
    """Two accounts, in bytewise order; note to self names the own account twice."""

    low: AccountIdField
    high: AccountIdField


class Text(Record, frozen=True, tag="text"):
    """A text message."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class DeliveryReceipt(Record, frozen=True, tag="delivery-receipt"):
    """Messages of the receiving account that this account has opened on a device."""

    message_ids: Annotated[
        tuple[MessageIdField, ...], Meta(min_length=1, max_length=RECEIPT_BATCH_MAX)
    ]


class RatchetTurn(Record, frozen=True, tag="ratchet-turn"):
    """Says nothing; sealed once in answer to a new session, so that the ratchet turns."""


class ListClaimQuestion(Record, frozen=True, tag="list-claim-question"):
    """Asks for proof: “you named a list of mine that I don't know”."""

    claimed: ListHead


class ListEvidence(Record, frozen=True, tag="list-evidence"):
    """The signed lists of the receiving account that the sender holds."""

    lists: Annotated[tuple[SignedObject, ...], Meta(max_length=LISTS_PER_ANSWER_MAX)]


class DeviceNotice(Record, frozen=True, tag="device-notice"):
    """From the phone to its own devices: what one device of the account is."""

    device: DeviceNumberField
    certificate_hash: Bytes32
    name: DeviceName
    device_kind: DeviceKind
    added_at: Millis
    platform: DevicePlatform = ""


RepairBatch = Annotated[tuple[MessageIdField, ...], Meta(min_length=1, max_length=REPAIR_BATCH_MAX)]


class RepairRequest(Record, frozen=True, tag="repair-request"):
    """Asks for messages of the receiving device that can't be opened (spec 10)."""

    message_ids: RepairBatch


class RepairAnswer(Record, frozen=True, tag="repair-answer"):
    """The encoded content of a message that was asked for."""

    content: Annotated[bytes, Meta(min_length=1, max_length=BODY_MAX)]


class RepairRefusal(Record, frozen=True, tag="repair-refusal"):
    """The sender has nothing under these ids for the device that asked."""

    message_ids: RepairBatch


Kind = (
    Text
    | DeliveryReceipt
    | RatchetTurn
    | ListClaimQuestion
    | ListEvidence
    | DeviceNotice
    | RepairRequest
    | RepairAnswer
    | RepairRefusal
)

UNREPAIRED: Final = (RatchetTurn, RepairRequest, RepairAnswer, RepairRefusal)
"""Kinds that are not sent again when they can't be opened."""

UNREPAIRED_ID: Final = b"\xff" * 8
"""How the ids of just these messages begin: their reader can't look inside (spec 10)."""


def is_repaired(message_id: MessageId) -> bool:
    """Tell from its id whether a message that can't be opened is asked for again."""
    return not message_id.startswith(UNREPAIRED_ID)


class Content(Record, frozen=True):
    """One message. ``counter`` counts per (sender device, conversation), 0 for control kinds."""

    message_id: MessageIdField
    conversation: DirectConversation
    kind: Kind
    counter: Uint53
    sent_at: Millis
    own_head: ListHead
    salt: Bytes16


class BodyKey(Record, frozen=True, tag="body-key"):
    """What a pairwise session seals for one device: how to open the body, and my idea of you.

    ``body_hash`` covers the sealed body; ``assumed_head`` is the list of the receiving
    account that the sender sealed for.
    """

    body_key: Bytes32
    body_hash: Bytes32
    assumed_head: ListHead
