"""Records that several frames share (spec 08, "Records")."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from untether.base.limits import LISTS_PER_ANSWER_MAX, ONE_TIME_PREKEYS
from untether.wire.codec import Record
from untether.wire.fields import (
    Bytes32,
    DeviceNumberField,
    Millis,
    Name,
    Signature,
    SignedBytes,
    Uint32,
    Uint53,
)


class SignedObject(Record, frozen=True):
    """A canonical body with the signature over it; only its protocol module decodes the body."""

    body: SignedBytes
    signature: Signature


class SignedCertificate(Record, frozen=True):
    """A device certificate: body, signature by the account key, signature by the device key."""

    body: SignedBytes
    account_signature: Signature
    device_signature: Signature


class ListHead(Record, frozen=True, order=True):
    """Names one device list: order is (generation, version); the hash covers its body."""

    generation: Uint32
    version: Uint32
    hash: Bytes32

    @property
    def place(self) -> tuple[int, int]:
        """Generation and version: two lists at one place are a fork."""
        return self.generation, self.version

    def is_news_to(self, held: ListHead) -> bool:
        """Tell whether who holds ``held`` lacks this list: it is further, or another one."""
        return self != held and self.place >= held.place


class SignedPrekey(Record, frozen=True):
    """A prekey pair (body of spec 04) signed by its device."""

    body: SignedBytes
    signature: Signature


class PrekeyStock(Record, frozen=True):
    """What a device deposits: its rotating pair, and one-time pairs to add."""

    rotating: SignedPrekey
    one_time: Annotated[tuple[SignedPrekey, ...], Meta(max_length=2 * ONE_TIME_PREKEYS)] = ()


class PrekeyBundle(Record, frozen=True):
    """What a claim hands out for one device: one-time pair only while the stock lasts."""

    device: DeviceNumberField
    rotating: SignedPrekey
    one_time: SignedPrekey | None


class Stamp(Record, frozen=True, order=True):
    """Place of an entry in a mailbox; a new incarnation starts a new count."""

    incarnation: Uint53
    number: Uint53


class AccountLists(Record, frozen=True):
    """What the relay holds of one account: name, a run of signed lists, resignations.

    ``lists`` is ascending and ends with the newest unless ``more`` is set.
    """

    name: Name
    lists: Annotated[tuple[SignedObject, ...], Meta(max_length=LISTS_PER_ANSWER_MAX)]
    more: bool = False
    resignations: tuple[SignedObject, ...] = ()
    wipe_orders: tuple[SignedObject, ...] = ()


class DeviceActivity(Record, frozen=True):
    """When a device of the own account was last connected (rounded to an hour)."""

    device: DeviceNumberField
    last_active_at: Millis
