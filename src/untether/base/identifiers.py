"""Identifiers: one kind of id, one type (spec 00, "Names of things").

All are plain values at run time; the types exist so that mypy refuses to swap them.
Times are whole milliseconds since 1970 (UTC) and arrive as arguments.
"""

from __future__ import annotations

from typing import NamedTuple, NewType

AccountId = NewType("AccountId", bytes)
"""16 bytes: hash of the account's public key."""

MessageId = NewType("MessageId", bytes)
"""16 random bytes, unique per sender."""

RelayId = NewType("RelayId", bytes)
"""16 random bytes, made once by a relay."""

SlotId = NewType("SlotId", bytes)
"""16 random bytes, names one link slot at the relay."""

DeviceNumber = NewType("DeviceNumber", int)
"""Position of a device in its account; never given twice."""

UnixMillis = NewType("UnixMillis", int)
"""Milliseconds since 1970, UTC."""

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


class DeviceAddress(NamedTuple):
    """One device of one account."""

    account_id: AccountId
    device: DeviceNumber


def short_id(identifier: bytes) -> str:
    """Shorten an identifier for people and logs: its first eight hexadecimal digits."""
    return identifier[:4].hex()
