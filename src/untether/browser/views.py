"""What screens are shown, made from the device's rows; each shape has a name there, too.

Times are Unix milliseconds; ids are hexadecimal.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from untether.base.identifiers import AccountId
from untether.browser.notice_words import words_of
from untether.browser.waiting_words import waiting_text
from untether.client.notice_words import RED
from untether.client.people import NamedNotice, Person, display_name, is_stranger
from untether.device.events import MessageState
from untether.device.own_devices import OwnDeviceView
from untether.device.store import contacts
from untether.device.store.database import Database
from untether.device.store.messages import Message as StoredMessage


class Look(Struct, frozen=True):
    """How far this browser's device is open, and how it is unlocked."""

    phase: Literal["empty", "locked", "open"]
    unlock: tuple[Literal["passkey", "passphrase", "device"], ...]
    credential: str | None
    salt: str | None
    version: str
    persisted: bool


class Me(Struct, frozen=True):
    """This device and its account."""

    name: str
    account_id: str
    device: int
    role: Literal["phone", "companion"]
    state: str
    relay: str
    connected: bool
    lease_ends_at: int | None
    lease_days: int
    recovery_code_unseen: bool
    unreadable: int
    repairing: int
    has_messages: bool
    must_recover: bool


class Message(Struct, frozen=True):
    """One message of a conversation."""

    message_id: str
    author: str
    author_device: int
    conversation_id: str
    outgoing: bool
    text: str
    sent_at: int
    accepted_at: int | None
    state: Literal[MessageState, "received"]
    cause: str | None
    recovered: bool


class Notice(Struct, frozen=True):
    """What people should know, in words; ``row`` marks it as shown."""

    row: int
    code: str
    text: str
    about: str | None
    conversation_id: str | None
    at: int
    own: bool
    red: bool


class Chat(Struct, frozen=True):
    """One conversation in the list."""

    conversation_id: str
    name: str
    known: bool
    verified: bool
    changed: bool
    last: Message | None
    unread: int
    notices: int


class Conversation(Struct, frozen=True):
    """A page of a conversation; ``earlier`` asks for the page before it."""

    messages: tuple[Message, ...]
    notices: tuple[Notice, ...]
    earlier: str | None


class Device(Struct, frozen=True):
    """One device of the own account."""

    device: int
    name: str
    kind: str
    platform: str | None
    added_at: int | None
    last_active_at: int | None
    this: bool
    role: Literal["phone", "companion"]
    certificate_code: str
    resigned: bool


class Contact(Struct, frozen=True):
    """Somebody by name."""

    name: str
    account_id: str
    conversation_id: str
    known: bool
    verified: bool
    changed: bool


class SecurityCode(Struct, frozen=True):
    """What two people compare."""

    name: str
    code: str
    qr_text: str
    verified: bool


class PushKey(Struct, frozen=True):
    """The relay's key for push services, in base64url; None if it wakes no devices."""

    key: str | None


class Linked(Struct, frozen=True):
    """A device that was linked."""

    device: int
    name: str
    certificate_code: str


class Storage(Struct, frozen=True):
    """Bytes used and allowed, and whether the browser may delete them by itself."""

    used: int
    quota: int
    persisted: bool


def message(database: Database, stored: StoredMessage, cause: str | None = None) -> Message:
    """Return a message with the name of its author."""
    return Message(
        message_id=stored.message_id.hex(),
        author=display_name(database, stored.author),
        author_device=stored.author_device,
        conversation_id=stored.other.hex(),
        outgoing=stored.outgoing,
        text=stored.text,
        sent_at=stored.sent_at,
        accepted_at=stored.accepted_at,
        state=stored.state if stored.outgoing else "received",
        cause=waiting_text(cause) if cause else None,
        recovered=stored.recovered,
    )


def notice(named: NamedNotice) -> Notice:
    """Return a notice in words."""
    account = named.notice.account_id
    return Notice(
        row=named.notice.row,
        code=named.notice.code,
        text=words_of(named),
        about=named.about,
        conversation_id=None if account is None or named.own else account.hex(),
        at=named.notice.posted_at,
        own=named.own,
        red=named.notice.code in RED,
    )


def chat(
    database: Database,
    account: AccountId,
    *,
    last: StoredMessage | None,
    unread: int,
    notices: int,
) -> Chat:
    """Return a conversation under the name that its owner chose for the account."""
    found = contacts.by_account(database, account)
    return Chat(
        conversation_id=account.hex(),
        name=display_name(database, account) if found is None else found.name,
        known=not is_stranger(database, account),
        verified=found is not None and found.verified,
        changed=found is not None and found.waiting_account_id is not None,
        last=None if last is None else message(database, last),
        unread=unread,
        notices=notices,
    )


def contact(person: Person) -> Contact:
    """Return a contact."""
    return Contact(
        name=person.name,
        account_id=person.account_id.hex(),
        conversation_id=person.account_id.hex(),
        known=True,
        verified=person.verified,
        changed=person.changed,
    )


def device(view: OwnDeviceView) -> Device:
    """Return an own device."""
    return Device(
        device=view.device,
        name=view.name or f"Device {view.device}",  # until the phone has told its name
        kind=view.kind or "",
        platform=view.platform,
        added_at=view.added_at,
        last_active_at=view.last_active_at,
        this=view.this,
        role=role(is_phone=view.role.name == "PRIMARY"),
        certificate_code=view.certificate_code,
        resigned=view.resigned,
    )


def role(*, is_phone: bool) -> Literal["phone", "companion"]:
    """Return what people call a device's role."""
    return "phone" if is_phone else "companion"
