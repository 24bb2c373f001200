"""Drives one device: transactions, effects, timers (spec 06, "Driver").

Theory of operation. Each input runs the engine inside one transaction of the device's own
database. Only after the commit are the effects carried out: requests go to the relay, people
are told, and mail is acknowledged last. The driver keeps nothing that matters: tokens and
timers are lost with it, and the engine asks for everything again at the next connection.

Several processes may drive one profile. SQLite lets one transaction write at a time; who
receives mail is decided by the profile's receiver lock, which the caller holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from typing import assert_never

from untether.base.errors import NetworkError, UntetherError, VerificationError
from untether.base.identifiers import RelayId, UnixMillis
from untether.base.randomness import Randomness
from untether.client.clock import wall_clock
from untether.client.refusals import ends_connection, refusal
from untether.client.relay_line import RelayLine
from untether.client.transport import Connector
from untether.device import effects, engine, inputs
from untether.device.context import Context
from untether.device.events import Event
from untether.device.inputs import Input
from untether.device.store.database import Database, DeviceDatabase
from untether.wire.client_frames import Acknowledge, ClientFrame
from untether.wire.server_frames import Challenge, Refused, ServerFrame

Signer = Callable[[bytes], Awaitable[bytes]]
"""Signs a certificate body with the account key, by user verification."""

SLIPS = ("passphrase-wrong", "passphrase-file-unreadable")
"""What is no refusal of the owner: the same command given again asks once more."""


class Driver:
    """One device in one process; what comes over the line becomes inputs of its engine."""

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
        self._line = RelayLine(connector, self)
        self.randomness = randomness
        self.now = clock
        self.signer = signer
        self._listeners: list[asyncio.Queue[Event]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = 0.0
        """Loop time at which the timer, if there is one, rings or has rung."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> str:
        """The relay's address, as logins sign it."""
        return self._line.origin

    @property
    def challenge(self) -> Challenge | None:
        """The challenge of the last connection: who the relay is."""
        return self._line.challenge

    @property
    def relay_id(self) -> RelayId:
        """The id that the relay has shown; NetworkError ``offline`` before any connection."""
        if self.challenge is None:
            raise NetworkError(
                "offline", "There was no connection to the relay yet.", "Check the network."
            )
        return self.challenge.relay_id

    @property
    def is_connected(self) -> bool:
        """Whether a socket is open."""
        return self._line.is_open

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """Look into the device's database as it is at one moment; nothing can be changed."""
        with self._database.reading():
            yield self._database

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """Change, beside the engine, what only this side of it knows: what was shown."""
        with self._database.transaction():
            yield self._database

    @contextmanager
    def looking(self) -> Iterator[Context]:
        """Look at the device as the engine sees it, at one moment."""
        with self.reading() as database:
            yield Context(database, self.now(), self.randomness)

    @contextmanager
    def signing(self) -> Iterator[None]:
        """Inside, the caller may set another signer, e.g. one whose seed is open already.

        Outside, whoever signs with the account key is verified anew.
        """
        asking = self.signer
        try:
            yield
        finally:
            self.signer = asking

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
        answered = await self._line.request(frame)
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

    async def next_event(self, heard: asyncio.Queue[Event]) -> Event:
        """Wait for the next event; raises what ended the connection when it is lost first."""
        return await self._line.unless_lost(heard.get())

    def connected(self) -> AbstractAsyncContextManager[None]:
        """Be connected inside; see :meth:`RelayLine.opened`."""
        return self._line.opened()

    async def stay_connected(
        self,
        on_failure: Callable[[UntetherError], None],
        *,
        then: Callable[[], Awaitable[object]],
    ) -> None:
        """Keep a connection until cancelled; see :meth:`RelayLine.stay_open`."""
        await self._line.stay_open(self.randomness, on_failure, then=then)

    async def logged_in(self) -> None:
        """Wait until what a new connection asks was answered; raises what ended it instead."""
        await self._line.settled()

    async def until_connected(self) -> None:
        """Wait until a socket is open and the login was answered."""
        await self._line.until_open()

    async def idle(self) -> None:
        """Wait until no request is under way and no answer is being taken."""
        await self._line.idle()

    async def close(self) -> None:
        """End timers and connection; the database stays the caller's."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._line.close()

    async def challenged(self, challenge: Challenge, origin: str) -> None:
        """Implements :class:`untether.client.relay_line.Receiver`."""
        await self.handle(inputs.Challenged(challenge, origin))

    async def answered(self, request: ClientFrame, answer: ServerFrame) -> None:
        """Implements :class:`untether.client.relay_line.Receiver`."""
        await self.handle(inputs.RelayAnswered(request, answer))
        if isinstance(answer, Refused) and ends_connection(request, answer):
            raise refusal(answer.code, answer.retry_after_ms)

    async def pushed(self, frame: ServerFrame) -> None:
        """Implements :class:`untether.client.relay_line.Receiver`."""
        await self.handle(inputs.RelayPushed(frame))

    async def _carry_out(self, effect: effects.Effect) -> None:
        match effect:
            case effects.RelayRequest(frame):
                if self._line.is_open:
                    with suppress(NetworkError):  # it is committed; the next connection asks again
                        await self._line.request(frame)
            case effects.AcknowledgeMail(up_to):
                await self._line.tell(Acknowledge(up_to))
            case effects.SignCertificate(body):
                await self._sign(body)
            case effects.WakeAt(time):
                self._wake_at(time)
            case effects.Notify():
                pass  # the caller tells
            case _:
                assert_never(effect)

    async def _sign(self, body: bytes) -> None:
        if self.signer is None:
            return
        try:
            signature = await self.signer(body)
        except VerificationError as error:
            if error.code not in SLIPS:
                await self.handle(inputs.VerificationRefused())
            raise
        await self.handle(inputs.CertificateSigned(body, signature))

    def _wake_at(self, time: UnixMillis) -> None:
        loop = asyncio.get_running_loop()
        delay = max(0, time - self.now()) / 1000
        due = loop.time() + delay
        if self._timer is not None:
            if loop.time() < self._rings_at <= due:
                return
            self._timer.cancel()
        self._rings_at = due
        self._timer = loop.call_later(delay, self._tick)  # a browser's loop takes no time gone by

    def _tick(self) -> None:
        task = asyncio.get_running_loop().create_task(self._handle_tick())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle_tick(self) -> None:
        try:
            await self.handle(inputs.Tick())
        except NetworkError:
            pass  # the next connection does what is due
        except Exception as error:  # e.g. a full disk: whoever waits must hear of it
            await self._line.fail(error)
