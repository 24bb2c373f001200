"""Drives one device: transactions, sockets, timers (spec 06, "Driver").

Theory of operation. Each input runs the engine inside one transaction of the device's own
database. Only after the commit are the effects carried out: requests go to the relay, people
are told, and mail is acknowledged last. The driver keeps nothing that matters: tokens and
timers are lost with it, and the engine asks for everything again at the next connection.

Several processes may drive one profile. SQLite lets one transaction write at a time; who
receives mail is decided by the profile's receiver lock, which the caller holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from untether.base.errors import NetworkError, RemoteError, UntetherError, VerificationError
from untether.base.identifiers import UnixMillis
from untether.base.limits import FRAME_MAX
from untether.base.randomness import Randomness
from untether.client.clock import wall_clock
from untether.client.in_flight import Answered, InFlight
from untether.client.reconnect import reconnect_delay_ms
from untether.client.refusals import refusal
from untether.client.transport import Connection, Connector
from untether.device import effects, engine, inputs
from untether.device.events import Event
from untether.device.inputs import Input
from untether.device.store.database import Database, DeviceDatabase
from untether.wire import codec
from untether.wire.client_frames import Acknowledge, ClientFrame, Request
from untether.wire.server_frames import Answer, Challenge, Refused, ServerFrame

CHALLENGE_TIMEOUT_S = 15.0
"""A relay challenges as soon as the socket is open."""

ANSWER_TIMEOUT_S = 30.0
"""A relay that works answers in milliseconds; a slow line brings a large frame in less."""

Signer = Callable[[bytes], Awaitable[bytes]]
"""Signs a certificate body with the account key, by user verification."""


class Driver:
    """One device in one process."""

    def __init__(
        self,
        database: DeviceDatabase,
        connector: Connector,
        randomness: Randomness,
        *,
        clock: Callable[[], UnixMillis] = wall_clock,
        signer: Signer | None = None,
    ) -> None:
        self._database = database
        self._connector = connector
        self.randomness = randomness
        self.now = clock
        self.signer = signer
        self._connection: Connection | None = None
        self._in_flight = InFlight()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._opened = asyncio.Event()
        self._lost = asyncio.Event()
        self._loss: UntetherError | None = None
        self._listeners: list[asyncio.Queue[Event]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._patience: asyncio.Timeout | None = None
        self.challenge: Challenge | None = None

    @property
    def origin(self) -> str:
        """The relay's address, as logins sign it."""
        return self._connector.origin

    @property
    def is_connected(self) -> bool:
        """Whether a socket is open."""
        return self._connection is not None

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """Look into the device's database inside one transaction."""
        with self._database.transaction():
            yield self._database

    async def handle(self, event: Input) -> list[Event]:
        """Run the engine, commit, carry out the effects; return what people are told.

        Raises what the engine raises, after rolling back.
        """
        with self._database.transaction():
            wanted = engine.handle(
                event,
                now=self.now(),
                randomness=self.randomness,
                database=self._database,
            )
        happened = [effect.event for effect in wanted if isinstance(effect, effects.Notify)]
        for told in happened:
            for listener in self._listeners:
                listener.put_nowait(told)
        for effect in sorted(wanted, key=lambda one: isinstance(one, effects.AcknowledgeMail)):
            await self._carry_out(effect)
        return happened

    async def ask(self, frame: ClientFrame) -> ServerFrame:
        """Ask the relay and wait; the engine has taken the answer before it is returned.

        Raises NetworkError when the connection is lost, RefusedError when the relay refuses.
        """
        answered = await self._request(frame)
        answer = await asyncio.shield(answered)
        if isinstance(answer, Refused):
            raise refusal(answer.code, answer.retry_after_ms)
        return answer

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[Event]]:
        """Hear all events from now on."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            yield queue
        finally:
            self._listeners.remove(queue)

    async def until_connected(self) -> None:
        """Wait until a socket is open and the login was answered."""
        await self._opened.wait()
        await self.idle()

    async def next_event(self, heard: asyncio.Queue[Event]) -> Event:
        """Wait for the next event; raises what ended the connection when it is lost first."""
        event = asyncio.ensure_future(heard.get())
        loss = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait((event, loss), return_when=asyncio.FIRST_COMPLETED)
            if not event.done():
                self._raise_loss()
            return await event
        finally:
            event.cancel()
            loss.cancel()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Be connected inside, once; raises NetworkError when the relay can't be reached."""
        self._lost.clear()
        self._loss = None
        reader: asyncio.Task[None] | None = None
        try:
            await self._open()
            reader = asyncio.create_task(self._read_until_lost())
            yield
        finally:
            if reader is not None:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
            await self._close(NetworkError("closed", "The connection was closed."))

    async def stay_connected(
        self,
        on_failure: Callable[[NetworkError], None],
        *,
        then: Callable[[], Awaitable[object]],
    ) -> None:
        """Keep a connection until cancelled, opening it again whenever it is lost.

        ``then`` is called after each login; what it raises, but for NetworkError, ends this.
        """
        failures = 0
        while True:
            await asyncio.sleep(reconnect_delay_ms(failures, self.randomness) / 1000)
            try:
                async with self.connected():
                    await self.idle()
                    failures = 0
                    await then()
                    await self._lost.wait()
                    self._raise_loss()
            except NetworkError as error:
                failures += 1
                on_failure(error)

    async def idle(self) -> None:
        """Wait until no request is under way and no answer is being taken."""
        await self._quiet.wait()

    async def close(self) -> None:
        """End timers and connection; the database stays the caller's."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._close(NetworkError("closed", "The connection was closed."))

    async def _open(self) -> None:
        connection = await self._connector.connect()
        try:
            challenge = await _challenge_of(connection)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        self.challenge = challenge
        self._opened.set()
        await self.handle(inputs.Challenged(challenge, self._connector.origin))

    async def _close(self, error: UntetherError) -> None:
        connection, self._connection = self._connection, None
        self._opened.clear()
        self._in_flight.lose(error)
        self._note_quiet()
        if connection is not None:
            await connection.close()

    def _note_quiet(self) -> None:
        if not len(self._in_flight):
            self._quiet.set()

    async def _read_until_lost(self) -> None:
        try:
            await self._read()
        except UntetherError as error:
            self._loss = error
            await self._close(error)
            self._lost.set()

    def _raise_loss(self) -> None:
        if self._loss is not None:
            raise self._loss

    async def _read(self) -> None:
        """Take what comes; NetworkError ``no-answer`` when nothing does while answers are due."""
        assert self._connection is not None
        while True:
            try:
                async with asyncio.timeout(None) as self._patience:
                    self._renew_patience()
                    frame = await self._connection.receive()
            except TimeoutError as error:
                raise _no_answer() from error
            finally:
                self._patience = None
            await self._take(_answer(frame))

    def _renew_patience(self) -> None:
        """Wait from now on, as long as an answer is due."""
        if self._patience is not None and len(self._in_flight):
            self._patience.reschedule(asyncio.get_running_loop().time() + ANSWER_TIMEOUT_S)

    async def _take(self, answer: Answer) -> None:
        if not answer.token:
            await self.handle(inputs.RelayPushed(answer.frame))
            return
        found = self._in_flight.take(answer.token)
        if found is None:
            return
        request, answered = found
        try:
            await self.handle(inputs.RelayAnswered(request, answer.frame))
        except UntetherError as error:
            if not answered.done():
                answered.set_exception(error)
            self._note_quiet()
            if isinstance(error, RemoteError):
                return
            raise
        if not answered.done():
            answered.set_result(answer.frame)
        self._note_quiet()

    async def _request(self, frame: ClientFrame) -> Answered:
        if self._connection is None:
            raise NetworkError(
                "offline", "There is no connection to the relay.", "Check the network."
            )
        request, answered = self._in_flight.add(frame)
        self._quiet.clear()
        if request is not None:
            await self._connection.send(request)
            self._renew_patience()
        return answered

    async def _carry_out(self, effect: effects.Effect) -> None:
        match effect:
            case effects.RelayRequest(frame):
                if self._connection is not None:
                    await self._request(frame)
            case effects.AcknowledgeMail(up_to):
                if self._connection is not None:
                    await self._connection.send(codec.encode(Request(0, Acknowledge(up_to))))
            case effects.SignCertificate(body):
                await self._sign(body)
            case effects.WakeAt(time):
                self._wake_at(time)

    async def _sign(self, body: bytes) -> None:
        if self.signer is None:
            return
        try:
            signature = await self.signer(body)
        except VerificationError:
            await self.handle(inputs.VerificationRefused())
            raise
        await self.handle(inputs.CertificateSigned(body, signature))

    def _wake_at(self, time: UnixMillis) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + max(0, time - self.now()) / 1000
        if self._timer is not None:
            if not self._timer.cancelled() and loop.time() < self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = loop.call_at(due, self._tick)

    def _tick(self) -> None:
        task = asyncio.get_running_loop().create_task(self._handle_tick())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle_tick(self) -> None:
        await self.handle(inputs.Tick())


async def _challenge_of(connection: Connection) -> Challenge:
    try:
        async with asyncio.timeout(CHALLENGE_TIMEOUT_S):
            first = _answer(await connection.receive())
    except TimeoutError as error:
        raise _not_a_relay() from error
    if not isinstance(first.frame, Challenge):
        raise _not_a_relay()
    return first.frame


def _answer(data: bytes) -> Answer:
    try:
        return codec.decode(data, Answer, size_max=FRAME_MAX)
    except RemoteError as error:
        raise _not_a_relay() from error


def _no_answer() -> NetworkError:
    return NetworkError(
        "no-answer",
        "The relay does not answer.",
        "Try again later; if it stays, tell the relay's owner.",
    )


def _not_a_relay() -> NetworkError:
    return NetworkError(
        "not-a-relay",
        "What answers there is not a relay that this version understands.",
        "Check the address, and update the older of both.",
    )
