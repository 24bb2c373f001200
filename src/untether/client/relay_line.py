"""The line to the relay: one socket, its questions and answers, its loss (spec 06, "Driver").

It carries frames and knows nothing of what they mean. Whoever waits for anything on the line
hears of its loss at once; a relay that stays silent while an answer is due has lost it too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Protocol, TypeVar

from untether.base.errors import NetworkError, RemoteError, UntetherError
from untether.base.identifiers import SECOND_MS
from untether.base.limits import (
    ANSWER_MS,
    ANSWERS_OVERTAKEN_MS,
    CHALLENGE_MS,
    CONNECTION_MS,
    FRAME_MAX,
)
from untether.base.randomness import Randomness
from untether.client.in_flight import Answered, InFlight
from untether.client.reconnect import reconnect_delay_ms
from untether.client.refusals import passes
from untether.client.transport import Connection, Connector
from untether.wire import codec
from untether.wire.client_frames import ClientFrame, Request
from untether.wire.server_frames import Answer, Challenge, ServerFrame

Awaited = TypeVar("Awaited")


class Receiver(Protocol):
    """Takes what comes over the line; a RemoteError from an answer ends nothing."""

    async def challenged(self, challenge: Challenge, origin: str) -> None:
        """Take the first frame of a new socket."""
        ...

    async def answered(self, request: ClientFrame, answer: ServerFrame) -> None:
        """Take an answer with its question."""
        ...

    async def pushed(self, frame: ServerFrame) -> None:
        """Take what was not asked for."""
        ...


class RelayLine:
    """At most one open socket to one relay."""

    def __init__(self, connector: Connector, receiver: Receiver) -> None:
        self._connector = connector
        self._receiver = receiver
        self._connection: Connection | None = None
        self._in_flight = InFlight()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._opening = asyncio.Lock()
        self._opened = asyncio.Event()
        self._lost = asyncio.Event()
        self._loss: Exception | None = None
        self._patience: asyncio.Timeout | None = None
        self._answered_at = 0.0
        """Loop time of the last answer, or of the question since which answers are due."""
        self.challenge: Challenge | None = None

    @property
    def origin(self) -> str:
        """The relay's address, as logins sign it."""
        return self._connector.origin

    @property
    def is_open(self) -> bool:
        """Whether a socket is open."""
        return self._connection is not None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Be connected inside, once; raises NetworkError when the relay can't be reached.

        An open socket is shared; who opened it closes it.
        """
        async with AsyncExitStack() as stack:
            async with self._opening:
                if not self.is_open:
                    await stack.enter_async_context(self._own_socket())
            yield

    @asynccontextmanager
    async def _own_socket(self) -> AsyncIterator[None]:
        self._lost.clear()
        self._loss = None
        connection = await self._open()
        reader = asyncio.create_task(self._read_until_lost())
        try:
            yield
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            if self._connection is connection:
                await self.close()

    async def stay_open(
        self,
        randomness: Randomness,
        on_failure: Callable[[UntetherError], None],
        *,
        then: Callable[[], Awaitable[object]],
    ) -> None:
        """Keep a socket until cancelled, opening it again when it is lost or CONNECTION_MS old.

        ``then`` is called after each login, and at once on a socket that is open already. What it
        or the login raises ends this, unless it passes with time.
        """
        failures = 0
        while True:
            await asyncio.sleep(reconnect_delay_ms(failures, randomness) / 1000)
            try:
                async with self.opened():
                    await self.settled()
                    await then()
                    await self.settled()
                    failures = 0
                    await self._lost_or_old()
                    self._raise_loss()
            except UntetherError as error:
                if not passes(error):
                    raise
                failures += 1
                on_failure(error)

    async def _lost_or_old(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECTION_MS / SECOND_MS):
                await self._lost.wait()
        await self.idle()

    async def until_open(self) -> None:
        """Wait until a socket is open and the login was answered."""
        await self._opened.wait()
        await self.settled()

    async def settled(self) -> None:
        """Wait like :meth:`idle`; raises what ended the line meanwhile."""
        await self.idle()
        self._raise_loss()

    async def idle(self) -> None:
        """Wait until no request is under way and no answer is being taken."""
        await self._quiet.wait()

    async def unless_lost(self, waited_for: Awaitable[Awaited]) -> Awaited:
        """Wait for something else; raises what ended the line when it is lost first."""
        awaited = asyncio.ensure_future(waited_for)
        loss = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait((awaited, loss), return_when=asyncio.FIRST_COMPLETED)
            if not awaited.done():
                raise self._loss or _closed()
            return await awaited
        finally:
            awaited.cancel()
            loss.cancel()

    async def request(self, frame: ClientFrame) -> Answered:
        """Ask once, however often it is asked meanwhile.

        Without a socket it raises what ended the last one, or NetworkError ``offline``.
        """
        if self._connection is None:
            raise self._loss or _offline()
        request, answered = self._in_flight.add(frame)
        self._quiet.clear()
        if request is not None:
            if len(self._in_flight) == 1:
                self._answered_at = asyncio.get_running_loop().time()
            await self._connection.send(request)
            self._renew_patience()
        return answered

    async def tell(self, frame: ClientFrame) -> None:
        """Send a frame that wants no answer; without a socket it is dropped."""
        if self._connection is not None:
            await self._connection.send(codec.encode(Request(0, frame)))

    async def fail(self, error: Exception) -> None:
        """End the line, if it is open; whoever waits hears why, a defect of ours too."""
        if self._connection is not None:
            self._loss = error
            await self._close(error)

    async def close(self) -> None:
        """Close the socket, if one is open; whoever waits hears that it was closed."""
        await self._close(_closed())

    async def _open(self) -> Connection:
        try:
            connection, challenge = await _connect(self._connector)
        except UntetherError as error:
            self._loss = error
            raise
        self._connection = connection
        self.challenge = challenge
        self._opened.set()
        try:
            await self._receiver.challenged(challenge, self.origin)
        except BaseException:
            await self.close()
            raise
        return connection

    async def _close(self, error: Exception) -> None:
        connection, self._connection = self._connection, None
        self._opened.clear()
        self._in_flight.lose(error)
        self._note_quiet()
        try:
            if connection is not None:
                await connection.close()
        finally:
            self._lost.set()  # even if who waited for quiet goes on first, and ends this

    async def _read_until_lost(self) -> None:
        try:
            await self._read()
        except Exception as error:  # a line that nobody reads must not look open
            await self.fail(error)

    async def _read(self) -> None:
        """Take what comes; NetworkError ``no-answer`` when no answer does while some are due."""
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

    async def _take(self, answer: Answer) -> None:
        if not answer.token:
            await self._receiver.pushed(answer.frame)
            return
        found = self._in_flight.take(answer.token)
        if found is None:
            return
        self._answered_at = asyncio.get_running_loop().time()
        request, answered = found
        try:
            await self._receiver.answered(request, answer.frame)
        except Exception as error:
            if not answered.done():
                answered.set_exception(error)
                answered.exception()  # a question that nobody awaits is no error
            if not isinstance(error, RemoteError):
                raise
        else:
            if not answered.done():
                answered.set_result(answer.frame)
        finally:
            self._note_quiet()

    def _renew_patience(self) -> None:
        """Wait from now on for any frame, as long as an answer is due, and not for ever for it."""
        if self._patience is not None and len(self._in_flight):
            now = asyncio.get_running_loop().time()
            latest = self._answered_at + ANSWERS_OVERTAKEN_MS / SECOND_MS
            self._patience.reschedule(min(now + ANSWER_MS / SECOND_MS, latest))

    def _note_quiet(self) -> None:
        if not len(self._in_flight):
            self._quiet.set()

    def _raise_loss(self) -> None:
        if self._loss is not None:
            raise self._loss


async def _connect(connector: Connector) -> tuple[Connection, Challenge]:
    connection = await connector.connect()
    try:
        return connection, await _challenge_of(connection)
    except BaseException:
        await connection.close()
        raise


async def _challenge_of(connection: Connection) -> Challenge:
    try:
        async with asyncio.timeout(CHALLENGE_MS / SECOND_MS):
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


def _closed() -> NetworkError:
    return NetworkError("closed", "The connection was closed.")


def _offline() -> NetworkError:
    return NetworkError("offline", "There is no connection to the relay.", "Check the network.")


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
