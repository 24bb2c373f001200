"""Field types with their bounds, so that a schema alone refuses wrong lengths (spec 00)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from untether.base.identifiers import (
    AccountId,
    DeviceNumber,
    MessageId,
    RelayId,
    SlotId,
    UnixMillis,
)
from untether.base.limits import (
    BODY_MAX,
    DEVICE_NAME_MAX,
    DEVICE_PLATFORM_MAX,
    HEADER_MAX,
    LEASE_MAX_MS,
    LEASE_MIN_MS,
    LINK_ITEM_MAX,
    LINK_OFFER_MAX,
    LIST_BODY_MAX,
    NAME_MAX,
    NAME_MIN,
    TIME_MAX,
)
from untether.base.names import DEVICE_NAME_PATTERN, DEVICE_PLATFORM_PATTERN

Bytes16 = Annotated[bytes, Meta(min_length=16, max_length=16)]
Bytes32 = Annotated[bytes, Meta(min_length=32, max_length=32)]
Signature = Annotated[bytes, Meta(min_length=64, max_length=64)]
PushKey = Annotated[bytes, Meta(min_length=65, max_length=65)]
KemPublic = Annotated[bytes, Meta(min_length=1184, max_length=1184)]

AccountIdField = Annotated[AccountId, Meta(min_length=16, max_length=16)]
MessageIdField = Annotated[MessageId, Meta(min_length=16, max_length=16)]
RelayIdField = Annotated[RelayId, Meta(min_length=16, max_length=16)]
SlotIdField = Annotated[SlotId, Meta(min_length=16, max_length=16)]

Uint32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Uint53 = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""Counters: exact in every language, JavaScript included."""
DeviceNumberField = Annotated[DeviceNumber, Meta(ge=0, le=2**31 - 1)]
Millis = Annotated[UnixMillis, Meta(ge=0, le=TIME_MAX)]
"""A time that every calendar has: it comes from others, and is shown to people."""
LeaseMillis = Annotated[int, Meta(ge=LEASE_MIN_MS, le=LEASE_MAX_MS)]

Name = Annotated[str, Meta(pattern=rf"^[a-z0-9][a-z0-9._-]{{{NAME_MIN - 1},{NAME_MAX - 1}}}\Z")]
DeviceName = Annotated[
    str, Meta(min_length=1, max_length=DEVICE_NAME_MAX, pattern=DEVICE_NAME_PATTERN)
]
DevicePlatform = Annotated[
    str, Meta(max_length=DEVICE_PLATFORM_MAX, pattern=DEVICE_PLATFORM_PATTERN)
]
Header = Annotated[bytes, Meta(min_length=1, max_length=HEADER_MAX)]
SealedBody = Annotated[bytes, Meta(min_length=1, max_length=BODY_MAX)]
SignedBytes = Annotated[bytes, Meta(min_length=1, max_length=LIST_BODY_MAX)]
LinkItem = Annotated[bytes, Meta(min_length=1, max_length=LINK_ITEM_MAX)]
LinkOfferItem = Annotated[bytes, Meta(min_length=1, max_length=LINK_OFFER_MAX)]
