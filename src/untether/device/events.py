"""What happened, for people and programs: facts in the past, frozen (spec 06, "Events").

Account ids identify people here; names are looked up where they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from untether.base.identifiers import AccountId, DeviceNumber, MessageId, UnixMillis

MessageState = Literal["queued", "sent", "delivered", "failed"]


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message came in, or an own device sent one (``outgoing``)."""

    message_id: MessageId
    author: AccountId
    author_device: DeviceNumber
    other: AccountId
    outgoing: bool
    sent_at: UnixMillis
    accepted_at: UnixMillis
    text: str


@dataclass(frozen=True, slots=True)
class MessageProgressed:
    """An own message reached a new state for its recipient; ``cause`` says why it waits."""

    message_id: MessageId
    other: AccountId
    state: MessageState
    devices: int
    cause: str = ""


@dataclass(frozen=True, slots=True)
class NoticePosted:
    """Something people should know; the row stays until it is shown. See store/notices.py."""

    code: str
    account_id: AccountId | None
    details: dict[str, int | str]


@dataclass(frozen=True, slots=True)
class AccountActivated:
    """This device is now a listed device of its account (registered, linked or recovered)."""

    account_id: AccountId
    name: str
    device: DeviceNumber


@dataclass(frozen=True, slots=True)
class NameResolved:
    """The relay said which account has a name; the answer is pinned as a contact."""

    name: str
    account_id: AccountId


@dataclass(frozen=True, slots=True)
class MailboxDrained:
    """Nothing waits at the relay any more."""


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """The relay refused what a person asked for; ``request`` is the frame's tag."""

    request: str
    code: str
    retry_after_ms: int = 0


@dataclass(frozen=True, slots=True)
class ReceivingElsewhere:
    """Another process of this device receives now."""


@dataclass(frozen=True, slots=True)
class ClockDiffers:
    """The relay's clock and ours are further apart than honest clocks are."""

    difference_ms: int


@dataclass(frozen=True, slots=True)
class DeviceSuspended:
    """The relay does not list this device; nothing is erased until a signed list says so."""


@dataclass(frozen=True, slots=True)
class DeviceLoggedOut:
    """A verified list without this device: keys are erased."""


@dataclass(frozen=True, slots=True)
class LinkOffered:
    """On the new device: the relay has the offer, and the text may be shown until then."""

    link_text: str
    expires_at: UnixMillis


@dataclass(frozen=True, slots=True)
class LinkAnswered:
    """On the new device: this phone of this account wants it; its user says whether it may."""

    account_id: AccountId
    account_name: str
    phone_name: str
    certificate_code: str


@dataclass(frozen=True, slots=True)
class LinkRequested:
    """On the phone: this device wants to be linked; its user says whether it may."""

    device_name: str
    device_kind: str


@dataclass(frozen=True, slots=True)
class LinkFailed:
    """Linking has ended; ``code`` names its text in protocol/linking/failures.py."""

    code: str


@dataclass(frozen=True, slots=True)
class DeviceLinked:
    """On the phone: the relay lists the new device."""

    device: DeviceNumber
    name: str
    certificate_code: str


@dataclass(frozen=True, slots=True)
class DeviceRemoved:
    """On the phone: the relay has logged the device out."""

    device: DeviceNumber


@dataclass(frozen=True, slots=True)
class RecoveryFound:
    """The account was found: its companions (number, short code) for the owner to confirm."""

    companions: tuple[tuple[DeviceNumber, str], ...]


Event = (
    MessageReceived
    | MessageProgressed
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
    | LinkFailed
    | DeviceLinked
    | DeviceRemoved
)
