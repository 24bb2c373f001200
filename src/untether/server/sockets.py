"""One WebSocket: challenge, requests, answers, end (spec 08, "Connection").

Theory of operation
-------------------
Requests are started in the order in which they came, and many run at once, so that one
commit of the store carries many of them; the store decides them in that order. Those of one
packet share a task, since one commit mostly answers them all. What changes who the connection is,
or may have a large answer (``ALONE``), runs by itself: everything before it has finished, and
nothing behind it has begun. Answers carry tokens and may overtake each other.

A peer can only hurt itself: what can't be decoded is refused under its token, or ends the
socket when not even the token can be read; no request begins while the peer leaves its answers
unread or has ``IN_FLIGHT_MAX`` requests running, and who asks too fast is read more slowly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Final

from aiohttp import WSMessage, WSMsgType, web

from untether.adapters.transport.outbox import Outbox
from untether.base.identifiers import SECOND_MS, SlotId
from untether.base.limits import (
    CLOSE_MS,
    HEARTBEAT_MS,
    IN_FLIGHT_MAX,
    LINK_SLOT_MS,
    LOGIN_MS,
    PACKET_MAX,
    WRITE_STALL_MS,
)
from untether.relay.outcome import Outcome
from untether.relay.principals import Device
from untether.relay.requests import ALONE, handle
from untether.relay.session import RelaySession
from untether.server.pacing import ReadingPace
from untether.wire.client_frames import Acknowledge, Request
from untether.wire.codec import encode
from untether.wire.packets import Unreadable, requests_of
from untether.wire.server_frames import Answer, Challenge, Done, Refused, ServerFrame

if TYPE_CHECKING:
    from untether.server.relay_process import RelayProcess

PUSH: Final = 0
"""The token of pushes, and of requests that want no answer."""

CLOSE_CODES: Final = {
    "going-away": 1001,
    "text-frame": 1003,
    "malformed": 1007,
    "login-timeout": 1008,
    "logged-out": 1008,
    "slow-reader": 1008,
    "too-many-sockets": 1008,
    "refused-unseen": 1008,
    "relay-failure": 1011,
}
"""Why the relay closes a socket: the cause is the reason text, with its RFC 6455 code."""


class Socket:
    """One connection to one device or guest."""

    def __init__(self, relay: RelayProcess, peer: str) -> None:
        self._relay = relay
        self._web_socket = web.WebSocketResponse(
            compress=False,
            autoping=False,  # aiohttp would answer a flood of pings without a pause
            max_msg_size=PACKET_MAX + 1,  # aiohttp refuses what reaches it
            heartbeat=HEARTBEAT_MS / SECOND_MS,
            timeout=CLOSE_MS / SECOND_MS,
        )
        self.outbox = Outbox(self._web_socket.send_bytes)
        self.session: RelaySession = relay.new_session(peer)
        quotas = relay.config.quotas
        self._pace = ReadingPace(quotas.requests_burst, quotas.requests_per_second)
        self.slots: set[SlotId] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._running_requests = 0
        self._closing: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._opened_at = self._time()
        self._spoke = False

    @property
    def transport(self) -> asyncio.Transport | None:
        """The network connection, once it was upgraded."""
        return self._transport

    # --- the life of a connection ---------------------------------------------------------
    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Upgrade, serve until the end of the connection, and leave nothing behind."""
        try:
            await self._web_socket.prepare(request)
        except ConnectionError:  # the peer has gone; nobody reads what is answered
            self._relay.metrics.unfinished_upgrades += 1
            return web.Response()
        self._transport = request.transport
        self._relay.hub.join(self, self.session.principal)
        try:
            self.push(self._challenge())
            await self._read_requests()
        finally:
            await self._finish_running()
            self._relay.hub.leave(self, self.session.principal)
            self._relay.hub.forget_slots(self, self.slots)
            if self._closing is not None:
                await asyncio.wait({self._closing})
            self.outbox.close()
        return self._web_socket

    def push(self, frame: ServerFrame) -> None:
        """Send a frame that answers nothing; one that can't take even news is cut."""
        if self.outbox.overflowing:
            self.close_soon("slow-reader")
        else:
            self.outbox.post(encode(Answer(PUSH, frame)))

    def close_soon(self, cause: str) -> None:
        """Close after what was posted; ``cause`` is one of :data:`CLOSE_CODES`."""
        if self._closing is None:
            self._relay.metrics.cuts[cause] += 1
            self._closing = asyncio.get_running_loop().create_task(self._close(cause))

    async def close(self, cause: str) -> None:
        """Close like :meth:`close_soon` and wait for it."""
        self.close_soon(cause)
        if self._closing is not None:
            await asyncio.wait({self._closing})

    def overdue(self) -> str | None:
        """Say why this connection should be cut, if it should."""
        now = self._time()
        since = self.outbox.waiting_since
        if since is not None and now - since > WRITE_STALL_MS / SECOND_MS:
            return "slow-reader"
        if not isinstance(self.session.principal, Device):
            allowed = LOGIN_MS + LINK_SLOT_MS if self._spoke else LOGIN_MS
            if now - self._opened_at > allowed / SECOND_MS:
                return "login-timeout"
        return None

    async def _close(self, cause: str) -> None:
        """End politely within CLOSE_MS, else drop the connection."""
        try:
            async with asyncio.timeout(CLOSE_MS / SECOND_MS):
                if cause != "slow-reader":
                    await self._finish_running()
                    await self.outbox.drained()
                    await self._web_socket.close(
                        code=CLOSE_CODES[cause], message=cause.encode(), drain=False
                    )
                    return
        except TimeoutError:
            pass
        self.outbox.close()
        if self._transport is not None:
            self._transport.abort()

    # --- requests -------------------------------------------------------------------------
    def _challenge(self) -> Challenge:
        rules = self.session.rules
        return Challenge(
            relay_id=rules.relay_id,
            nonce=self.session.nonce,
            relay_time=self._relay.now(),
            registration=rules.registration,
            lease_max_ms=rules.lease_max_ms,
        )

    async def _read_requests(self) -> None:
        async for message in self._web_socket:
            if self._closing is not None:
                await asyncio.sleep(0)
                continue
            if message.type in {WSMsgType.PING, WSMsgType.PONG}:
                await self._take_ping(message)
                continue
            if message.type is WSMsgType.ERROR:  # too large, say; aiohttp has closed it (1009)
                self.close_soon("malformed")
                continue
            if message.type is not WSMsgType.BINARY:
                self.close_soon("text-frame")
                continue
            self._spoke = True
            requests = requests_of(message.data)
            await self._take(requests)
            await self._rest(self._pace.after_packet(requests, len(message.data), self._time()))

    async def _take_ping(self, message: WSMessage) -> None:
        """Answer a ping; a buffer full of them must not keep others waiting."""
        if message.type is WSMsgType.PING:
            try:
                async with asyncio.timeout(WRITE_STALL_MS / SECOND_MS):
                    await self._web_socket.pong(message.data)
            except TimeoutError:
                self.close_soon("slow-reader")
            except ConnectionError:
                pass  # it has gone; what it asked before is still done
        await asyncio.sleep(self._pace.after_ping(self._time()))

    async def _rest(self, seconds: float) -> None:
        """Leave a peer that asks too fast unread, and so hold it up."""
        if seconds:
            self._relay.metrics.rests += 1
            await asyncio.sleep(seconds)

    @staticmethod
    def _time() -> float:
        return asyncio.get_running_loop().time()

    async def _take(self, requests: Iterable[Request | Unreadable]) -> None:
        """Start the requests of one packet in their order, those together that may be."""
        together: list[Request] = []
        for request in requests:
            if isinstance(request, Request) and type(request.frame) not in ALONE:
                together.append(request)
                continue
            await self._start(together)
            together = []
            if isinstance(request, Unreadable):
                await self._until_read()
                self._refuse(request)
            else:
                await self._finish_running()
                await self._until_read()
                await self._carry_out([request])
            if self._closing is not None:
                return
        await self._start(together)

    def _refuse(self, request: Unreadable) -> None:
        """Refuse a malformed request by its token; without one, end the socket."""
        self._relay.metrics.refusals[request.code] += 1
        if request.token is None:
            self.close_soon("malformed")
        else:
            self._answer(request.token, Refused(request.code))

    async def _start(self, requests: list[Request]) -> None:
        """Carry out requests in a task of their own, as soon as they may run."""
        if not requests:
            return
        while self._running_requests + len(requests) > IN_FLIGHT_MAX:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        await self._until_read()
        if self._closing is not None:
            return
        self._running_requests += len(requests)
        task = asyncio.get_running_loop().create_task(self._carry_out(requests))
        self._running.add(task)
        task.add_done_callback(partial(self._ended, len(requests)))

    def _ended(self, requests: int, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._running_requests -= requests

    async def _until_read(self) -> None:
        """Wait while the peer leaves its answers unread."""
        while self.outbox.full and self._closing is None:
            await self.outbox.drained()

    async def _finish_running(self) -> None:
        if self._running:
            await asyncio.wait(self._running)

    async def _carry_out(self, requests: Sequence[Request]) -> None:
        """Let the relay decide; whatever fails there is one refused request.

        All are begun before the first is awaited. They are mostly durable by the same commit, so
        the others rarely wait for the first.
        """
        relay = self._relay
        now, began = relay.now(), perf_counter()
        outcomes = [
            handle(relay.store, self.session, request.frame, now, relay.randomness)
            for request in requests
        ]
        for request, awaited in zip(requests, outcomes, strict=True):
            try:
                outcome = await awaited
            except Exception as error:
                relay.log.failure("request-failed", error)
                self._answer(request.token, Refused("relay-failure"))
            else:
                self._conclude(request, outcome)
                relay.metrics.count_answer(outcome.answer, perf_counter() - began)

    def _conclude(self, request: Request, outcome: Outcome) -> None:
        """Answer what is durable now, then perform its effects."""
        hub = self._relay.hub
        if outcome.session is not self.session:
            hub.leave(self, self.session.principal)
            self.session = outcome.session
            hub.join(self, self.session.principal)
        self._answer(request.token, outcome.answer)
        if isinstance(request.frame, Acknowledge) and isinstance(outcome.answer, Done):
            hub.acknowledged(self.session.principal, request.frame.up_to)
        for effect in outcome.effects:
            hub.perform(self, effect)
        if request.token == PUSH and isinstance(outcome.answer, Refused):
            self.close_soon("refused-unseen")  # else its sender believes that it was done

    def _answer(self, token: int, frame: ServerFrame) -> None:
        if token != PUSH:
            self.outbox.post(encode(Answer(token, frame)))
