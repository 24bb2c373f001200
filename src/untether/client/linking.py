"""Linking a companion, as its two people see it (spec 03, "Phone" and "Companion").

Both sides stay connected, through restarts of the relay too, until the link has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from untether.base.errors import LocalError, UntetherError, VerificationError
from untether.base.identifiers import SECOND_MS
from untether.base.limits import LINK_SLOT_MS
from untether.client.driver import SLIPS, Driver
from untether.client.receiving import Heard, while_kept
from untether.client.refusals import refusal
from untether.device import linking_companion, linking_phone
from untether.device.events import (
    AccountActivated,
    DeviceLinked,
    Event,
    LinkAnswered,
    LinkCertified,
    LinkFailed,
    LinkOffered,
    LinkRequested,
    RequestRefused,
)
from untether.device.inputs import (
    ApproveLink,
    CancelLink,
    ConfirmAccount,
    ConfirmLink,
    OfferLink,
    Tick,
)
from untether.protocol.linking.failures import link_error
from untether.wire.link_offer import CompanionKind

OnOffer = Callable[[LinkOffered], None]
OnTakenUp = Callable[[], None]
IsMine = Callable[[LinkAnswered], Awaitable[bool]]
OnCertified = Callable[[LinkCertified], None]
MayLink = Callable[[LinkRequested], Awaitable[bool]]

_APPROVAL_S = LINK_SLOT_MS / SECOND_MS


async def link_companion(
    driver: Driver,
    *,
    device_name: str,
    device_kind: CompanionKind,
    platform: str,
    on_offer: OnOffer,
    on_taken_up: OnTakenUp = lambda: None,
    is_mine: IsMine,
    timeout_s: float | None,
) -> AccountActivated:
    """Offer this unused device to a phone, and wait until it is listed.

    ``on_offer`` shows the code, or ``on_taken_up`` says that a phone has answered before, so that
    there is none; ``is_mine`` asks whether the phone's account is the owner's.
    Raises the named failures of spec 03, and NetworkError when the relay can't be reached.
    """
    async with driver.connected():
        relay_id = driver.relay_id
    lifetime_ms = LINK_SLOT_MS
    if timeout_s is not None:
        lifetime_ms = min(lifetime_ms, max(1, int(timeout_s * SECOND_MS)))
    offer = OfferLink(driver.origin, relay_id, device_name, device_kind, lifetime_ms, platform)
    async with _walk(driver, offer, timeout_s) as next_step:
        shown, asked = "", False
        with driver.looking() as context:
            if linking_companion.is_taken_up(context):
                on_taken_up()
        while True:
            match await next_step():
                case LinkOffered() as offered if offered.link_text != shown:
                    shown = offered.link_text  # after an interruption it may be told twice
                    on_offer(offered)
                case LinkAnswered() as answered if not asked:
                    asked = True  # and so may the answer
                    await driver.handle(ConfirmAccount(await is_mine(answered)))
                case RequestRefused() as refused:
                    raise refusal(refused.code, refused.retry_after_ms)
                case AccountActivated() as activated:
                    return activated


async def approve(
    driver: Driver, link_text: str, may_link: MayLink, on_certified: OnCertified
) -> DeviceLinked:
    """On the phone: link the device that shows this text, if its user agrees.

    ``on_certified`` shows the code that the new device shows, while its user is asked there.
    Raises the named failures of spec 03, and VerificationError when the user was not verified.
    """
    async with driver.connected():
        await driver.idle()
    async with _walk(driver, ApproveLink(link_text), _APPROVAL_S) as next_step:
        while True:
            match await next_step():
                case LinkRequested() as requested:
                    await _decide(driver, requested, may_link)
                case LinkCertified() as certified:
                    on_certified(certified)
                case DeviceLinked() as linked:
                    await driver.idle()
                    return linked


async def _decide(driver: Driver, requested: LinkRequested, may_link: MayLink) -> None:
    """Ask the phone's user, unless the new device has given up, which it has said by then."""
    await driver.idle()
    with driver.looking() as context:
        asked = linking_phone.is_asked(context)
    if not asked:
        return
    accept = await may_link(requested)
    try:
        await driver.handle(ConfirmLink(accept))
    except VerificationError as error:
        if error.code in SLIPS:
            error.hint += " The link stays open meanwhile: run the same command again."
        raise


@asynccontextmanager
async def _walk(
    driver: Driver, first: OfferLink | ApproveLink, timeout_s: float | None
) -> AsyncIterator[Callable[[], Awaitable[Event]]]:
    """Stay connected inside, begin with ``first``, and cancel when the inside gives up.

    Yields what waits for the next step; it raises LinkFailed's error, and what ends the
    connection for good.
    """
    with driver.listening() as heard:
        connection = asyncio.create_task(
            driver.stay_connected(_ignore, then=lambda: driver.handle(Tick()))
        )
        try:
            await while_kept(connection, driver.until_connected())
            await driver.handle(first)
            async with asyncio.timeout(timeout_s):
                yield partial(_next_step, driver, heard, connection)
        except (TimeoutError, asyncio.CancelledError) as error:
            await _give_up(driver, heard)
            if isinstance(error, TimeoutError):
                raise link_error("link-expired") from error
            raise
        except LocalError as error:
            raise _why_too_late(heard, error) from None
        finally:
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)


async def _give_up(driver: Driver, heard: Heard) -> None:
    """Cancel the link, unless it has ended while somebody was asked."""
    try:
        await driver.handle(CancelLink())
    except LocalError as error:
        if _why_too_late(heard, error) is error:
            raise
    await driver.idle()


def _why_too_late(heard: Heard, error: LocalError) -> UntetherError:
    """Return what has ended the link while somebody was asked, if that is why a step failed."""
    while error.code == "link-wrong-moment" and not heard.empty():
        event = heard.get_nowait()
        if isinstance(event, LinkFailed):
            return link_error(event.code)
    return error


async def _next_step(driver: Driver, heard: Heard, connection: asyncio.Task[None]) -> Event:
    event = await while_kept(connection, heard.get())
    if isinstance(event, LinkFailed):
        await driver.idle()
        raise link_error(event.code)
    return event


def _ignore(_error: UntetherError) -> None:
    """The connection is opened again; while the code is valid nobody must act."""
