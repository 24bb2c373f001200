"""Calls by which this device gets an account, and by which a phone links another one."""

from __future__ import annotations

from msgspec import Struct

from untether.base.errors import UntetherError
from untether.base.identifiers import DeviceNumber
from untether.browser import events, questions, views
from untether.browser.app import App
from untether.browser.opening_calls import Nothing, standing
from untether.device.events import (
    LinkAnswered,
    LinkCertified,
    LinkOffered,
    LinkRequested,
    RecoveryFound,
)
from untether.wire.link_offer import CompanionKind

_RENEWALS_MAX = 30
"""How often a code that nobody scanned is made anew: an hour of a forgotten screen."""


class Register(Struct, frozen=True):
    """A new account, whose phone this device is."""

    name: str
    device_name: str
    invitation: str | None = None


class RecoveryCode(Struct, frozen=True):
    """What brings the account to a new phone."""

    recovery_code: str


class Recover(Struct, frozen=True):
    """An account that comes to this device as its new phone."""

    name: str
    device_name: str
    code: str


class Link(Struct, frozen=True):
    """This device wants to be a companion."""

    device_name: str
    kind: CompanionKind


class Approve(Struct, frozen=True):
    """The phone links the device that shows this text."""

    link_text: str


async def register(app: App, wanted: Register) -> RecoveryCode:
    """Make the account, or show the code of one whose owner has not seen it."""
    async with app.joining() as client:
        made = await client.register(
            wanted.name, device_name=wanted.device_name, invitation=wanted.invitation
        )
    return RecoveryCode(made.recovery_code)


async def recovery_code_seen(app: App, _: Nothing) -> None:
    """The owner has kept the code: it is not shown again."""
    app.client.mark_recovery_code_seen()


async def recover(app: App, wanted: Recover) -> views.Me:
    """Become the phone of an account that has lost its own."""

    async def get_code() -> str:
        return wanted.code

    async def which_stay(found: RecoveryFound) -> tuple[DeviceNumber, ...]:
        if not found.companions:
            return ()
        companions = tuple(questions.Companion(*one) for one in found.companions)
        stay = await app.page.ask(questions.WHICH_STAY, questions.Recovered(companions))
        return tuple(DeviceNumber(number) for number in stay)

    async with app.joining() as client:
        await app.receiver.stop()  # a displaced phone is refused on its line, and begins as a guest
        await client.recover(
            wanted.name, device_name=wanted.device_name, get_code=get_code, which_stay=which_stay
        )
    return standing(app.client)


async def link(app: App, wanted: Link) -> views.Me:
    """Show codes, one after the other, until the phone has linked this device."""

    def on_offer(offered: LinkOffered) -> None:
        app.page.say(events.LinkOffered(offered.link_text, offered.expires_at))

    async def is_mine(answered: LinkAnswered) -> bool:
        details = questions.NewAccount(
            account_name=answered.account_name,
            phone_name=answered.phone_name,
            certificate_code=answered.certificate_code,
        )
        return await app.page.ask(questions.IS_MINE, details)

    async with app.joining() as client:
        for left in reversed(range(_RENEWALS_MAX)):
            try:
                await client.link(
                    device_name=wanted.device_name,
                    device_kind=wanted.kind,
                    on_offer=on_offer,
                    is_mine=is_mine,
                )
                break
            except UntetherError as error:
                if error.code != "link-expired" or not left:
                    raise
    return standing(app.client)


async def approve(app: App, scanned: Approve) -> views.Linked:
    """On the phone: link a device, after its owner has agreed and was verified."""

    async def may_link(requested: LinkRequested) -> bool:
        details = questions.NewDevice(
            device_name=requested.device_name,
            device_kind=requested.device_kind,
            device_platform=requested.device_platform,
        )
        return await app.page.ask(questions.MAY_LINK, details)

    def on_certified(certified: LinkCertified) -> None:
        app.page.say(events.LinkCertified(certified.device_name, certified.certificate_code))

    async with app.joining() as client:
        linked = await client.approve(scanned.link_text, may_link, on_certified)
    return views.Linked(linked.device, linked.name, linked.certificate_code)
