"""People: names, pinned accounts, security codes (spec 06, "Contacts")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from untether.base.errors import LocalError
from untether.base.identifiers import AccountId, DeviceNumber, UnixMillis, short_id
from untether.base.names import check_name
from untether.client.driver import Driver
from untether.client.sending import resolve
from untether.device import own_devices
from untether.device.inputs import MarkVerified
from untether.device.store import accounts, contacts, messages, own_device
from untether.device.store.database import Database
from untether.device.store.messages import Message
from untether.device.store.notices import Notice
from untether.protocol.identity.device_list import open_list
from untether.protocol.identity.security_code import (
    Side,
    compare_security_qr,
    security_code,
    security_qr_text,
)


class Person(Struct, frozen=True):
    """A contact; ``changed`` means that the relay gives another account for the name now."""

    name: str
    account_id: AccountId
    verified: bool
    changed: bool
    added_at: UnixMillis


class SecurityCode(Struct, frozen=True):
    """What two people compare: 60 digits, or each other's QR code."""

    name: str
    code: str
    qr_text: str
    verified: bool


class NamedMessage(Struct, frozen=True):
    """A message with the names under which it is shown; ``known``: the other is no stranger."""

    message: Message
    author: str
    other: str
    known: bool


class NamedNotice(Struct, frozen=True):
    """A notice with the name of the person whom it concerns; ``own`` when that is oneself.

    ``device`` is the name of the own device that it is about, as far as it was told.
    """

    notice: Notice
    about: str | None
    own: bool
    device: str | None


def everybody(driver: Driver) -> list[Person]:
    """Return all contacts by name."""
    with driver.reading() as database:
        return [
            Person(
                contact.name,
                contact.account_id,
                contact.verified,
                contact.waiting_account_id is not None,
                contact.added_at,
            )
            for contact in contacts.every(database)
        ]


def known_account(database: Database, name: str) -> AccountId:
    """Return the account pinned for a name; LocalError ``unknown-contact``."""
    own = own_device.load(database)
    if own is not None and own.name == name:
        return own.account_id
    return contacts.require(database, check_name(name)).account_id


def shown_account(database: Database, name: str) -> AccountId:
    """Return the account that messages show under a name; LocalError ``unknown-contact``.

    A stranger whom messages name can be asked for as well, unless two have the same name.
    """
    try:
        return known_account(database, name)
    except LocalError:
        shown = [one for one in messages.others(database) if display_name(database, one) == name]
        if len(shown) != 1:
            raise
        return shown[0]


def display_name(database: Database, account: AccountId) -> str:
    """Return the pinned name of an account, else what the relay calls it, else the short id.

    A stranger is never shown under the name of a contact, or under the own name.
    """
    contact = contacts.by_account(database, account)
    if contact is not None:
        return short_id(account) if contact.waiting_account_id else contact.name
    own = own_device.load(database)
    if own is not None and own.account_id == account:
        return own.name
    met = accounts.find(database, account)
    if met is None or contacts.by_name(database, met.relay_name) is not None:
        return short_id(account)
    is_own_name = own is not None and own.name == met.relay_name
    return short_id(account) if is_own_name else met.relay_name


def named(database: Database, found: Iterable[Message]) -> list[NamedMessage]:
    """Return messages with the names that author and conversation have now."""
    return [
        NamedMessage(
            message,
            display_name(database, message.author),
            display_name(database, message.other),
            not is_stranger(database, message.other),
        )
        for message in found
    ]


def named_notices(database: Database, found: Iterable[Notice]) -> list[NamedNotice]:
    """Return notices with the names of those whom they concern."""
    own = own_device.load(database)
    names = own_devices.names(database)
    return [
        NamedNotice(
            notice,
            None if notice.account_id is None else display_name(database, notice.account_id),
            own is not None and notice.account_id == own.account_id,
            _own_device_name(names, notice, None if own is None else own.account_id),
        )
        for notice in found
    ]


def _own_device_name(
    names: Mapping[DeviceNumber, str], notice: Notice, own: AccountId | None
) -> str | None:
    number = notice.details.get("device")
    if not isinstance(number, int) or notice.account_id not in (None, own):
        return None
    return names.get(DeviceNumber(number))


def is_stranger(database: Database, account: AccountId) -> bool:
    """Tell whether an account is neither the own one nor a contact."""
    own = own_device.load(database)
    known = own is not None and own.account_id == account
    return not known and contacts.by_account(database, account) is None


async def security_code_of(driver: Driver, name: str) -> SecurityCode:
    """Compute the code of a contact; a new name is asked for at the relay first."""
    await resolve(driver, name)
    ours, theirs, verified = _sides(driver, name)
    code = security_code(ours.account_key, theirs.account_key)
    return SecurityCode(name, code, security_qr_text(ours, theirs), verified)


async def verify_by_qr(driver: Driver, name: str, qr_text: str) -> None:
    """Mark a contact as verified, if the QR code on their screen fits what is held here.

    Raises TrustError when it does not, LocalError ``not-a-security-qr``.
    """
    ours, theirs, _ = _sides(driver, name)
    compare_security_qr(qr_text, ours, theirs)
    await driver.handle(MarkVerified(name))


def refuse_own_name(driver: Driver, name: str) -> None:
    """Raise LocalError ``own-code`` for the own name: nobody compares codes with themselves."""
    with driver.reading() as database:
        own = own_device.load(database)
    if own is None or own.name == name:
        raise LocalError(
            "own-code",
            "A security code belongs to two people; this is your own name.",
            "Name somebody else.",
        )


def _sides(driver: Driver, name: str) -> tuple[Side, Side, bool]:
    """Return the own side, the contact's, and whether the contact is verified."""
    refuse_own_name(driver, name)
    with driver.reading() as database:
        own = own_device.require(database)
        contact = contacts.by_name(database, name)
        account = known_account(database, name)
        verified = contact is not None and contact.verified
        return _side(database, own.account_id), _side(database, account), verified


def _side(database: Database, account: AccountId) -> Side:
    found = accounts.find(database, account)
    assert found is not None
    return Side(found.account_key, open_list(found.signed_list, found.account_key).head)
