"""Calls that open, lock and erase this browser's device, and say how it stands."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from untether import __version__
from untether.base.errors import LocalError
from untether.base.identifiers import DAY_MS
from untether.browser import views
from untether.browser.app import App
from untether.browser.questions import Proof
from untether.client.client import Client
from untether.device import own_account
from untether.device.store import inbox, messages, repairs
from untether.device.store.own_device import State
from untether.protocol.identity.certificate import Role


class Nothing(Struct, frozen=True):
    """The arguments of a call that takes none."""


async def look(app: App, _: Nothing) -> views.Look:
    """Say how far the device is open, and how it can be."""
    _used, _quota, persisted = await app.surroundings.storage()
    protection = await app.profiles.protection()
    way = None if protection is None else protection.way
    phase: Literal["empty", "locked", "open"] = "empty"
    if protection is not None:
        phase = "open" if app.is_open else "locked"
    return views.Look(
        phase=phase,
        unlock=() if protection is None else (protection.method,),
        credential=way.credential if way is not None and way.credential else None,
        salt=way.salt if way is not None and way.salt else None,
        version=__version__,
        persisted=persisted,
    )


async def storage(app: App, _: Nothing) -> views.Storage:
    """Return how much this origin keeps."""
    used, quota, persisted = await app.surroundings.storage()
    return views.Storage(used, quota, persisted)


async def protect(app: App, lock: Proof) -> None:
    """Make an empty device under a new lock."""
    async with app.door:
        app.enter(await app.profiles.create(lock.given))


async def unlock(app: App, lock: Proof) -> views.Me:
    """Open the device; ``no-account`` leaves it open, for the first steps."""
    async with app.door:
        if not app.is_open:
            app.enter(await app.profiles.unlock(lock.given))
    return standing(app.client)


async def lock(app: App, _: Nothing) -> None:
    """Let go of the database and its key."""
    async with app.door:
        await app.leave()


async def erase(app: App, _: Nothing) -> None:
    """Delete this device from this browser, so that another can be begun."""
    async with app.door:
        await app.leave()
        await app.profiles.erase()


async def me(app: App, _: Nothing) -> views.Me:
    """Say who this device is."""
    return standing(app.client)


def standing(client: Client) -> views.Me:
    """Return this device and its account; LocalError ``no-account`` before it has one."""
    with client.driver.looking() as context:
        own = context.own
        if not own.takes_part and own.state is not State.LOGGED_OUT:
            raise LocalError(
                "no-account",
                "This device has no account yet.",
                "Go on with what was begun: make an account, or link this device to yours.",
            )
        newest = own_account.newest(context)
        unreadable = inbox.count_given_up(context.database)
        repairing = repairs.count(context.database)
        has_messages = messages.are_there(context.database)
        must_recover = own.role is Role.PRIMARY and own_account.is_displaced(context)
    return views.Me(
        name=own.name,
        account_id=own.account_id.hex(),
        device=own.device,
        role=views.role(is_phone=own.role is Role.PRIMARY),
        state=own.state.value,
        relay=own.origin,
        connected=client.driver.is_connected,
        lease_ends_at=newest.expires_at,
        lease_days=own.lease_ms // DAY_MS,
        recovery_code_unseen=own.recovery_code_unseen,
        unreadable=unreadable,
        repairing=repairing,
        has_messages=has_messages,
        must_recover=must_recover,
    )
