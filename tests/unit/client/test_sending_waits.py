"""Sending to a relay that answers late or never: the message is queued, and the wait ends."""

from __future__ import annotations

import asyncio
import time

import pytest
from msgspec import structs
from tests.unit.client.scripted_relay import CHALLENGE, ScriptedConnector, turn
from tests.world import World, WorldDevice

from untether.base.errors import LocalError, NetworkError, RateLimitedError
from untether.client import sending
from untether.client.driver import Driver
from untether.device import own_account
from untether.device.context import Context
from untether.wire.client_frames import Login, ResolveName, Submit
from untether.wire.codec import encode
from untether.wire.server_frames import Accepted, Answer, Refused, Submitted, Welcome


@pytest.fixture
def alice() -> WorldDevice:
    """Alice, who knows bob."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    alice.connect()
    bob.connect()
    alice.send("bob", "hi")
    alice.disconnect()
    return alice


def drive(alice: WorldDevice) -> tuple[Driver, ScriptedConnector]:
    """Drive alice's device against a scripted relay that goes by her relay's id."""
    relay_id = alice.own.relay_id
    assert relay_id is not None
    challenge = structs.replace(CHALLENGE, relay_id=relay_id)
    connector = ScriptedConnector(encode(Answer(0, challenge)))
    now = alice.world.now
    driver = Driver(alice.database, connector, alice.world.randomness, clock=lambda: now)
    return driver, connector


def welcome(alice: WorldDevice, connector: ScriptedConnector) -> None:
    """Answer the login."""
    login = next(one for one in connector.last.sent if isinstance(one.frame, Login))
    newest = alice.own
    with alice.database.transaction():
        head = own_account.newest(Context(alice.database, alice.world.now, bytes)).head
    connector.last.say(
        login.token,
        Welcome(
            counter=newest.login_counter - 1, head=head, one_time_prekeys=50, mailbox_entries=0
        ),
    )


async def test_a_slow_relay_ends_the_wait(alice: WorldDevice) -> None:
    """After the time-out the message is queued, and it is said that nobody answered."""
    driver, connector = drive(alice)
    async with driver.connected():
        welcome(alice, connector)
        await turn()
        sending_task = asyncio.create_task(
            sending.send_text(driver, "alice", "note", timeout_s=0.1)
        )
        began = time.monotonic()
        sent = await sending_task
        assert time.monotonic() - began < 5
        assert (sent.state, sent.devices, sent.cause) == ("queued", 0, "no-answer")
    await driver.close()


async def test_a_known_name_is_queued_for_when_the_line_breaks(alice: WorldDevice) -> None:
    """Asking again who bob is fails with the line, but his account is pinned."""
    driver, connector = drive(alice)
    async with driver.connected():
        welcome(alice, connector)
        await turn()
        sending_task = asyncio.create_task(sending.send_text(driver, "bob", "kept"))
        await turn()
        assert any(isinstance(one.frame, ResolveName) for one in connector.last.sent)
        connector.last.lose()
        sent = await sending_task
        assert (sent.state, sent.to, sent.cause) == ("queued", "bob", "offline")
    await driver.close()
    assert alice.history()[-1].text == "kept"


async def submitted(
    driver: Driver, connector: ScriptedConnector, *, timeout_s: float = 5
) -> asyncio.Task[sending.Sent]:
    """Let alice write to bob until her message is at the relay, unanswered."""
    sending_task = asyncio.create_task(
        sending.send_text(driver, "bob", "kept", timeout_s=timeout_s)
    )
    await turn()
    asked = next(one for one in connector.last.sent if isinstance(one.frame, ResolveName))
    connector.last.say(asked.token, Refused("relay-failure"))
    await turn()
    assert isinstance(connector.last.sent[-1].frame, Submit)
    return sending_task


@pytest.mark.parametrize("code", ["relay-failure", "not-allowed"])
async def test_a_refused_message_is_told_at_once(alice: WorldDevice, code: str) -> None:
    """Nobody waits for an answer that has come: the message is kept, and its cause is named."""
    driver, connector = drive(alice)
    async with driver.connected():
        welcome(alice, connector)
        await turn()
        sending_task = await submitted(driver, connector)
        began = time.monotonic()
        connector.last.say(connector.last.sent[-1].token, Refused(code))
        sent = await sending_task
        assert (sent.state, sent.devices, sent.cause) == ("queued", 0, code)
        assert time.monotonic() - began < 1
    await driver.close()
    assert (alice.history()[-1].text, alice.history()[-1].state) == ("kept", "queued")


async def test_a_busy_relay_gets_the_message_a_moment_later(
    alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes go out again by themselves, and whoever wrote them hears that it was sent."""
    monkeypatch.setattr("untether.device.outbox.REFUSED_RETRY_MS", 50)
    driver, connector = drive(alice)
    async with driver.connected():
        welcome(alice, connector)
        await turn()
        sending_task = await submitted(driver, connector)
        first = connector.last.sent[-1]
        assert isinstance(first.frame, Submit)
        connector.last.say(first.token, Refused("rate-limited", 50))
        await asyncio.sleep(0.2)
        again = connector.last.sent[-1]
        assert (again.token > first.token, again.frame) == (True, first.frame)
        accepted = [Accepted(one.account_id, alice.world.now) for one in first.frame.recipients]
        connector.last.say(again.token, Submitted(first.frame.message_id, tuple(accepted)))
        assert (await sending_task).state == "sent"
    await driver.close()


async def test_a_relay_that_stays_busy_is_named(alice: WorldDevice) -> None:
    """When the wait ends, its cause is the one that the relay gave."""
    driver, connector = drive(alice)
    async with driver.connected():
        welcome(alice, connector)
        await turn()
        sending_task = await submitted(driver, connector, timeout_s=1)
        connector.last.say(connector.last.sent[-1].token, Refused("rate-limited", 9_000))
        sent = await sending_task
        assert (sent.state, sent.cause) == ("queued", "rate-limited")
    await driver.close()


@pytest.mark.parametrize("refused", [Refused("rate-limited", 9_000), Refused("relay-failure")])
async def test_a_known_name_is_sent_to_when_it_can_not_be_asked_for(
    alice: WorldDevice, refused: Refused
) -> None:
    """The limit of name lookups is none of messages: who has written often goes on writing."""
    driver, connector = drive(alice)
    async with driver.connected():
        welcome(alice, connector)
        await turn()
        sending_task = asyncio.create_task(
            sending.send_text(driver, "bob", "the 31st", timeout_s=0.1)
        )
        await turn()
        asked = next(one for one in connector.last.sent if isinstance(one.frame, ResolveName))
        connector.last.say(asked.token, refused)
        assert (await sending_task).to == "bob"
        assert any(isinstance(one.frame, Submit) for one in connector.last.sent)
    await driver.close()


async def test_an_unknown_name_waits_for_the_limit(alice: WorldDevice) -> None:
    """Nobody is pinned under the name, so the sender hears how long to wait."""
    driver, connector = drive(alice)
    async with driver.connected():
        welcome(alice, connector)
        await turn()
        sending_task = asyncio.create_task(sending.send_text(driver, "carol", "to whom?"))
        await turn()
        asked = next(one for one in connector.last.sent if isinstance(one.frame, ResolveName))
        connector.last.say(asked.token, Refused("rate-limited", 9_000))
        with pytest.raises(RateLimitedError):
            await sending_task
    await driver.close()


async def test_an_unknown_name_is_not(alice: WorldDevice) -> None:
    """Without the relay nobody knows who carol is; nothing is stored."""
    driver, connector = drive(alice)
    with pytest.raises(NetworkError):
        await sending.send_text(driver, "carol", "to whom?")
    async with driver.connected():
        welcome(alice, connector)
        await turn()
        sending_task = asyncio.create_task(sending.send_text(driver, "carol", "to whom?"))
        await turn()
        asked = next(one for one in connector.last.sent if isinstance(one.frame, ResolveName))
        connector.last.say(asked.token, Refused("no-such-account"))
        with pytest.raises(LocalError) as caught:
            await sending_task
        assert caught.value.code == "unknown-name"
    await driver.close()
    assert [one.text for one in alice.history()] == ["hi"]


@pytest.mark.parametrize("name", ["Bob", "", "b\udcff"])
async def test_a_name_that_can_be_none_is_not_asked_for(alice: WorldDevice, name: str) -> None:
    """The relay hears of no impossible name."""
    driver, _ = drive(alice)
    with pytest.raises(LocalError) as caught:
        await sending.send_text(driver, name, "x")
    assert caught.value.code == "bad-name"
