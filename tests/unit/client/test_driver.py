"""The driver: commit first, then effects; timers; user verification; logins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from tests.unit.client.scripted_relay import NOW, ScriptedConnector, turn

from untether.adapters.storage.device_sqlite3 import Sqlite3DeviceDatabase
from untether.base.errors import (
    LocalError,
    PlatformError,
    RateLimitedError,
    RefusedError,
    VerificationError,
)
from untether.base.identifiers import UnixMillis
from untether.client.driver import Driver
from untether.device import effects, engine, inputs
from untether.device.effects import Effect
from untether.device.events import MailboxDrained
from untether.device.inputs import Input
from untether.wire.client_frames import Acknowledge, FetchStatus, Login, StartReceiving
from untether.wire.records import SignedCertificate, Stamp
from untether.wire.server_frames import Done, Refused

LOGIN = Login(
    certificate=SignedCertificate(b"body", bytes(64), bytes(64)),
    nonce=bytes(32),
    origin="http://localhost:8080",
    counter=1,
    signature=bytes(64),
)


class ScriptedEngine:
    """Answers inputs with the effects that a test wants, and writes the inputs down."""

    def __init__(self) -> None:
        self.taken: list[Input] = []
        self.effects: dict[type, Sequence[Effect]] = {}
        self.fail: Callable[[], None] = lambda: None

    def handle(self, event: Input, *, database: Sqlite3DeviceDatabase, **_: object) -> list[Effect]:
        """See untether.device.engine."""
        self.taken.append(event)
        database.run("INSERT INTO taken VALUES (?)", type(event).__name__)
        self.fail()
        return list(self.effects.get(type(event), ()))

    def kinds(self) -> list[type]:
        """Return the kinds of inputs so far."""
        return [type(one) for one in self.taken]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    """An engine that does what it is told."""
    scripted = ScriptedEngine()
    monkeypatch.setattr(engine, "handle", scripted.handle)
    return scripted


@pytest.fixture
def database() -> Iterator[Sqlite3DeviceDatabase]:
    """A database with one table."""
    opened = Sqlite3DeviceDatabase.open()
    opened.script("CREATE TABLE taken (kind TEXT)")
    yield opened
    opened.close()


@pytest.fixture
def connector() -> ScriptedConnector:
    """A relay that challenges."""
    return ScriptedConnector()


@pytest.fixture
def driver(
    database: Sqlite3DeviceDatabase, connector: ScriptedConnector, script: ScriptedEngine
) -> Driver:
    """A driver whose clock stands still."""
    return Driver(database, connector, bytes, clock=lambda: NOW)


async def test_mail_is_acknowledged_last(
    driver: Driver, connector: ScriptedConnector, script: ScriptedEngine
) -> None:
    """What the relay may delete is named only after everything else has left."""
    stamp = Stamp(1, 1)
    script.effects[inputs.Tick] = [
        effects.AcknowledgeMail(stamp),
        effects.RelayRequest(FetchStatus()),
        effects.Notify(MailboxDrained()),
    ]
    with driver.listening() as heard:
        async with driver.connected():
            assert await driver.handle(inputs.Tick()) == [MailboxDrained()]
            sent = [(one.token, one.frame) for one in connector.last.sent]
            assert sent == [(1, FetchStatus()), (0, Acknowledge(stamp))]
            assert heard.get_nowait() == MailboxDrained()
    await driver.close()


async def test_without_a_connection_effects_wait_in_the_rows(
    driver: Driver, connector: ScriptedConnector, script: ScriptedEngine
) -> None:
    """Requests are not kept by the driver: the engine makes them again when it is connected."""
    script.effects[inputs.Tick] = [
        effects.RelayRequest(FetchStatus()),
        effects.AcknowledgeMail(Stamp(1, 1)),
    ]
    assert await driver.handle(inputs.Tick()) == []
    assert connector.opened == []
    await driver.idle()


async def test_an_error_rolls_back(
    driver: Driver, database: Sqlite3DeviceDatabase, script: ScriptedEngine
) -> None:
    """Nothing of an input that could not be carried out is kept or told."""

    def fail() -> None:
        raise LocalError("no", "no")

    script.fail = fail
    with driver.listening() as heard, pytest.raises(LocalError):
        await driver.handle(inputs.Tick())
    assert heard.empty()
    assert database.rows("SELECT * FROM taken") == []


async def test_a_timer_feeds_ticks(driver: Driver, script: ScriptedEngine) -> None:
    """The earliest wish counts; one in the past is due at once."""
    for delay in (60_000, 30, 90_000):
        script.effects[inputs.StartMail] = [effects.WakeAt(UnixMillis(NOW + delay))]
        await driver.handle(inputs.StartMail())
    await asyncio.sleep(0.06)
    assert script.kinds() == [inputs.StartMail] * 3 + [inputs.Tick]
    script.effects[inputs.StartMail] = [effects.WakeAt(UnixMillis(NOW - 5))]
    await driver.handle(inputs.StartMail())
    await asyncio.sleep(0.01)
    assert script.kinds()[-1] is inputs.Tick
    await driver.close()


async def test_a_wish_in_the_past_is_no_time_gone_by_for_the_loop(
    driver: Driver, script: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser's event loop refuses to call at a time that is over."""
    loop = asyncio.get_running_loop()
    call_at = loop.call_at

    def strict(when: float, *arguments: Any, **options: Any) -> asyncio.TimerHandle:
        if when < loop.time():
            raise ValueError("Can't schedule in the past")
        return call_at(when, *arguments, **options)

    monkeypatch.setattr(loop, "call_at", strict)
    monkeypatch.setattr(loop, "call_later", partial(_strictly_later, loop))
    script.effects[inputs.StartMail] = [effects.WakeAt(UnixMillis(NOW - 5))]
    await driver.handle(inputs.StartMail())
    await asyncio.sleep(0.01)
    assert script.kinds()[-1] is inputs.Tick
    await driver.close()


def _strictly_later(
    loop: asyncio.AbstractEventLoop, delay: float, *arguments: Any, **options: Any
) -> asyncio.TimerHandle:
    if delay < 0:
        raise ValueError("Can't schedule in the past")
    return type(loop).call_at(loop, loop.time() + delay, *arguments, **options)


@pytest.mark.parametrize(
    "error", [PlatformError("disk-full", "The disk is full."), ValueError("a defect")]
)
async def test_a_tick_that_fails_is_told(
    driver: Driver, connector: ScriptedConnector, script: ScriptedEngine, error: Exception
) -> None:
    """A disk that fills up beside all questions ends the connection with its own cause."""

    def fail() -> None:
        if script.kinds()[-1] is inputs.Tick:
            raise error

    script.fail = fail
    script.effects[inputs.StartMail] = [effects.WakeAt(NOW)]
    with driver.listening() as heard:
        async with driver.connected():
            await driver.handle(inputs.StartMail())
            with pytest.raises(type(error)) as caught:
                await driver.next_event(heard)
            assert caught.value is error
            assert not driver.is_connected
            assert connector.last.closed
        await driver.handle(inputs.StartMail())
        await turn()
    await driver.close()


async def test_closing_ends_the_timer(driver: Driver, script: ScriptedEngine) -> None:
    """No tick reaches a database that its owner has closed."""
    script.effects[inputs.StartMail] = [effects.WakeAt(UnixMillis(NOW + 10))]
    await driver.handle(inputs.StartMail())
    await driver.close()
    await asyncio.sleep(0.03)
    assert inputs.Tick not in script.kinds()


async def test_user_verification_signs(driver: Driver, script: ScriptedEngine) -> None:
    """The signature goes back into the engine with the body that it signs."""

    async def sign(body: bytes) -> bytes:
        return b"signed " + body

    script.effects[inputs.Tick] = [effects.SignCertificate(b"body")]
    await driver.handle(inputs.Tick())
    assert script.kinds() == [inputs.Tick]
    driver.signer = sign
    await driver.handle(inputs.Tick())
    assert script.taken[-1] == inputs.CertificateSigned(b"body", b"signed body")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("passphrase-needed", [inputs.VerificationRefused]),
        ("passphrase-wrong", []),
        ("passphrase-file-unreadable", []),
    ],
)
async def test_refused_verification_is_told_to_the_engine(
    driver: Driver, script: ScriptedEngine, code: str, told: list[type]
) -> None:
    """What waited for the signature is undone, but not for a slip; the person hears of both."""

    async def refuse(_body: bytes) -> bytes:
        raise VerificationError(code, "no")

    driver.signer = refuse
    script.effects[inputs.Tick] = [effects.SignCertificate(b"body")]
    with pytest.raises(VerificationError):
        await driver.handle(inputs.Tick())
    assert script.kinds() == [inputs.Tick, *told]


@pytest.mark.parametrize(
    ("code", "error"), [("wrong-origin", RefusedError), ("rate-limited", RateLimitedError)]
)
async def test_a_refused_login_ends_the_connection(
    driver: Driver,
    connector: ScriptedConnector,
    script: ScriptedEngine,
    code: str,
    error: type[Exception],
) -> None:
    """Nothing goes on without a login, so whoever waits must hear of it."""
    script.effects[inputs.Challenged] = [effects.RelayRequest(LOGIN)]
    async with driver.connected():
        connector.last.say(1, Refused(code, 1_000))
        with pytest.raises(error):
            await driver.logged_in()
        assert not driver.is_connected
    assert script.kinds() == [inputs.Challenged, inputs.RelayAnswered]


@pytest.mark.parametrize("code", ["rate-limited", "relay-failure"])
async def test_mail_that_is_refused_for_now_ends_the_connection(
    driver: Driver, connector: ScriptedConnector, script: ScriptedEngine, code: str
) -> None:
    """No mail would come on it, and whoever waits for some would wait for ever."""
    script.effects[inputs.StartMail] = [effects.RelayRequest(StartReceiving(None))]
    async with driver.connected():
        await driver.handle(inputs.StartMail())
        connector.last.say(1, Refused(code, 1_000))
        with pytest.raises((RefusedError, RateLimitedError)) as refused:
            await driver.logged_in()
        assert refused.value.code == code
        assert not driver.is_connected


async def test_mail_of_a_device_that_was_logged_out_ends_nothing(
    driver: Driver, connector: ScriptedConnector, script: ScriptedEngine
) -> None:
    """The relay's next frame has the lists that say so."""
    script.effects[inputs.StartMail] = [effects.RelayRequest(StartReceiving(None))]
    async with driver.connected():
        await driver.handle(inputs.StartMail())
        connector.last.say(1, Refused("not-listed"))
        await driver.logged_in()
        assert driver.is_connected


async def test_a_refused_question_ends_nothing(
    driver: Driver, connector: ScriptedConnector, script: ScriptedEngine
) -> None:
    """The refusal reaches who asked, and the connection goes on."""
    async with driver.connected():
        asked = asyncio.create_task(driver.ask(FetchStatus()))
        await turn()
        connector.last.say(1, Refused("not-allowed"))
        with pytest.raises(RefusedError):
            await asked
        again = asyncio.create_task(driver.ask(FetchStatus()))
        await turn()
        connector.last.say(2, Done(NOW))
        assert await again == Done(NOW)
