"""Sending by name: resolve, queue, wait for the relay (spec 05, "Sending")."""

from __future__ import annotations

import asyncio

from msgspec import Struct, structs

from untether.base.errors import LocalError, NetworkError, UntetherError
from untether.base.identifiers import SECOND_MS, AccountId, MessageId
from untether.base.limits import SEND_MS
from untether.base.names import check_name
from untether.client.driver import Driver
from untether.client.refusals import passes
from untether.client.standing import check_is_listed
from untether.device import contacts
from untether.device.events import Event, MessageProgressed, MessageState
from untether.device.inputs import SendText
from untether.device.store import messages
from untether.wire.client_frames import ResolveName

_NOT_YET = frozenset({"", "rate-limited"})
"""Causes that may be over in a moment: people wait for it."""
LOOK_AGAIN_S = 0.2
"""Events are heard within one process only; what others did is in the database."""


class Sent(Struct, frozen=True):
    """How far a message has come; ``devices`` counts every sealed copy, own devices' too.

    ``cause`` says why it waits; it is kept, and leaves when that has passed.
    """

    to: str
    message_id: MessageId
    state: MessageState
    devices: int
    cause: str = ""


async def resolve(driver: Driver, name: str) -> AccountId:
    """Return the account of a name, asking the relay when it can be asked.

    Raises LocalError ``unknown-name`` or ``bad-name``, TrustError ``identity-changed``,
    RefusedError ``phone-displaced`` or ``suspended``, and, when the name is new, whatever keeps the
    relay from being asked.
    """
    check_name(name)
    if driver.is_connected:
        check_is_listed(driver)
    with driver.looking() as context:
        own_name, known = context.active.name, contacts.account_of(context, name)
    if name == own_name and known is not None:
        return known
    if driver.is_connected or known is None:
        try:
            await driver.ask(ResolveName(name))
        except UntetherError as error:
            if error.code == "no-such-account":
                if known is None:
                    raise unknown_name(name) from error
            elif known is None or not passes(error):
                raise  # else the pinned account is good enough to queue for
    with driver.looking() as context:
        account = contacts.account_of(context, name)
    if account is None:
        raise unknown_name(name)
    return account


async def send_text(
    driver: Driver, name: str, text: str, *, timeout_s: float = SEND_MS / SECOND_MS
) -> Sent:
    """Send a text and wait until the relay has it, or until it is clear why it waits."""
    account = await resolve(driver, name)
    with driver.listening() as heard:
        happened = await driver.handle(SendText(account, text))
        last = next(one for one in happened if isinstance(one, MessageProgressed))
        if driver.is_connected:
            last = await _until_settled(driver, heard, last, timeout_s)
        else:
            last = _still_waiting(driver, last, "offline")
    return Sent(name, last.message_id, last.state, last.devices, last.cause)


async def _until_settled(
    driver: Driver, heard: asyncio.Queue[Event], last: MessageProgressed, timeout_s: float
) -> MessageProgressed:
    """Follow one message; it has settled when it was taken or waits for a named cause.

    What a relay is too busy for it takes within seconds, and the engine tries by itself.
    """
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                while not heard.empty() or (last.state == "queued" and last.cause in _NOT_YET):
                    last = await _next_progress(driver, heard, last)
                await driver.idle()
                if heard.empty():
                    return last
    except TimeoutError:
        return _still_waiting(driver, last, "no-answer")
    except NetworkError:
        return _still_waiting(driver, last, "offline")


async def _next_progress(
    driver: Driver, heard: asyncio.Queue[Event], last: MessageProgressed
) -> MessageProgressed:
    """Wait for news of a message; another process of this device may have sent it meanwhile."""
    try:
        async with asyncio.timeout(LOOK_AGAIN_S):
            event = await driver.next_event(heard)
    except TimeoutError:
        return _as_stored(driver, last)
    if isinstance(event, MessageProgressed) and event.message_id == last.message_id:
        return event
    return last


def _still_waiting(driver: Driver, last: MessageProgressed, cause: str) -> MessageProgressed:
    """Return how far a message has come, and why it waits if nothing was said of it."""
    stored = _as_stored(driver, last)
    if stored.state != "queued" or stored.cause:
        return stored
    return structs.replace(stored, cause=cause)


def _as_stored(driver: Driver, last: MessageProgressed) -> MessageProgressed:
    with driver.looking() as context:
        own = context.active
        stored = messages.find_own(context.database, own.account_id, own.device, last.message_id)
    if stored is None or stored.state == last.state:
        return last
    return MessageProgressed(last.message_id, last.other, stored.state, stored.devices)


def unknown_name(name: str) -> LocalError:
    """Return the error for a name that nobody has."""
    return LocalError(
        "unknown-name",
        f"Nobody on this relay is called “{name}”.",
        "Check the spelling; names are lower case.",
    )
