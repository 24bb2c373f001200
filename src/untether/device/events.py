"""What happened, for people and programs: facts in the past, frozen (spec 06, "Events").

Account ids identify people here; names are looked up where they are shown.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from untether.base.identifiers import AccountId, DeviceNumber, MessageId, UnixMillis

MessageState = Literal["queued", "sent", "delivered", "failed"]


class MessageReceived(Struct, frozen=True):
    """A message came in, or an own device sent one (``outgoing``)."""

    message_id: MessageId
    author: AccountId
    author_device: DeviceNumber
    other: AccountId
    outgoing: bool
    sent_at: UnixMillis
    accepted_at: UnixMillis
    text: str


class MessageProgressed(Struct, frozen=True):
    """An own message reached a new state for its recipient; ``cause`` says why it waits."""

    message_id: MessageId
    other: AccountId
    state: MessageState
    devices: int
    cause: str = ""


class MessageRecovered(Struct, frozen=True):
    """A message that could not be opened when it first came was sent again, and is here."""

    message_id: MessageId
    author: AccountId
    author_device: DeviceNumber


class NoticePosted(Struct, frozen=True):
    """Something people should know; the row stays until it is shown. See store/notices.py."""

    code: str
    account_id: AccountId | None
    details: dict[str, int | str]


class AccountActivated(Struct, frozen=True):
    """This device is now a listed device of its account (registered, linked or recovered)."""

    account_id: AccountId
    name: str
    device: DeviceNumber


class NameResolved(Struct, frozen=True):
    """The relay said which account has a name; the answer is pinned as a contact."""

    name: str
    account_id: AccountId


class MailboxDrained(Struct, frozen=True):
    """Nothing waits at the relay any more."""


class RequestRefused(Struct, frozen=True):
    """The relay refused what a person asked for; ``request`` is the frame's tag."""

    request: str
    code: str
    retry_after_ms: int = 0


class ReceivingElsewhere(Struct, frozen=True):
    """Another process of this device receives now."""


class ClockDiffers(Struct, frozen=True):
    """The relay's clock and ours are further apart than honest clocks are."""

    difference_ms: int


class DeviceSuspended(Struct, frozen=True):
    """The relay does not list this device; nothing is erased until a signed list says so."""


class DeviceLoggedOut(Struct, frozen=True):
    """A verified list without this device: keys are erased."""


class LinkOffered(Struct, frozen=True):
    """On the new device: the relay has the offer, and the text may be shown until then."""

    link_text: str
    expires_at: UnixMillis


class LinkAnswered(Struct, frozen=True):
    """On the new device: this phone of this account wants it; its user says whether it may."""

    account_id: AccountId
    account_name: str
    phone_name: str
    certificate_code: str


class LinkRequested(Struct, frozen=True):
    """On the phone: this device wants to be linked; its user says whether it may."""

    device_name: str
    device_kind: str
    device_platform: str = ""


class LinkCertified(Struct, frozen=True):
    """On the phone: the new device asks its user now; both screens show this code until then."""

    device_name: str
    certificate_code: str


class LinkFailed(Struct, frozen=True):
    """Linking has ended; ``code`` names its text in protocol/linking/failures.py."""

    code: str


class DeviceLinked(Struct, frozen=True):
    """On the phone: the relay lists the new device."""

    device: DeviceNumber
    name: str
    certificate_code: str


class DeviceRemoved(Struct, frozen=True):
    """On the phone: the relay has logged the device out."""

    device: DeviceNumber


class RecoveryFound(Struct, frozen=True):
    """The account was found: its companions (number, short code) for the owner to confirm."""

    companions: tuple[tuple[DeviceNumber, str], ...]


Event = (
    MessageReceived
    | MessageProgressed
    | MessageRecovered
    | NoticePosted
    | AccountActivated
    | NameResolved
    | MailboxDrained
    | RequestRefused
    | ReceivingElsewhere
    | ClockDiffers
    | DeviceSuspended
    | DeviceLoggedOut
    | RecoveryFound
    | LinkOffered
    | LinkAnswered
    | LinkRequested
    | LinkCertified
    | LinkFailed
    | DeviceLinked
    | DeviceRemoved
)
