"""A link that was interrupted on the new device, as its commands meet it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from tests.conversations.link_steps import LinkStory, state_of
from tests.unit.client.scripted_relay import CHALLENGE, ScriptedConnector
from tests.world import World

from untether.base.errors import LocalError
from untether.base.identifiers import AccountId, DeviceNumber, UnixMillis
from untether.client import account, linking
from untether.client.driver import Driver
from untether.device.events import AccountActivated, Event, LinkAnswered, LinkOffered
from untether.device.inputs import ConfirmAccount, Input
from untether.device.store.own_device import State

ACCOUNT = AccountId(bytes(32))
OFFERED, RENEWED = (LinkOffered(text, UnixMillis(1)) for text in ("first", "renewed"))
ANSWERED = LinkAnswered(ACCOUNT, "alice", "phone", "code")
ACTIVATED = AccountActivated(ACCOUNT, "alice", DeviceNumber(1))


async def test_a_device_that_is_being_linked_has_no_standing_yet() -> None:
    """It was killed after “yes, mine”: it knows no list, and says what finishes it."""
    story = LinkStory.begin(World().register("alice")).until_answered()
    laptop = story.companion
    laptop.disconnect()
    laptop.feed(ConfirmAccount(accept=True))
    assert state_of(laptop) is State.LINKING
    driver = Driver(laptop.database, ScriptedConnector(), laptop.world.randomness)
    with pytest.raises(LocalError) as refused:
        await account.status(driver)
    assert refused.value.code == "not-finished"
    assert "untether link" in refused.value.hint
    await driver.close()


async def test_what_is_told_twice_is_shown_and_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection and the repeated command both tell it; another code is shown as well."""
    told: list[Event] = [OFFERED, OFFERED, RENEWED, ANSWERED, ANSWERED, ACTIVATED]
    shown: list[LinkOffered] = []
    confirmed: list[Input] = []

    @asynccontextmanager
    async def walk(*_: object) -> AsyncIterator[Callable[[], Awaitable[Event]]]:
        async def next_step() -> Event:
            return told.pop(0)

        yield next_step

    async def handle(_driver: Driver, event: Input) -> list[Event]:
        confirmed.append(event)
        return []

    async def is_mine(_answered: LinkAnswered) -> bool:
        return True

    monkeypatch.setattr(linking, "_walk", walk)
    world = World()
    laptop = world.offer_link("laptop")
    driver = Driver(laptop.database, ScriptedConnector(), world.randomness)
    monkeypatch.setattr(Driver, "connected", _connected)
    monkeypatch.setattr(Driver, "relay_id", CHALLENGE.relay_id)
    monkeypatch.setattr(Driver, "handle", handle)
    linked = await linking.link_companion(
        driver,
        device_name="laptop",
        device_kind="desktop",
        platform="Linux",
        on_offer=shown.append,
        is_mine=is_mine,
        timeout_s=None,
    )
    assert linked == ACTIVATED
    assert shown == [OFFERED, RENEWED]
    assert confirmed == [ConfirmAccount(accept=True)]


@asynccontextmanager
async def _connected(_driver: Driver) -> AsyncIterator[None]:
    yield
