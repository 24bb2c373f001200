"""The browser's WebSocket: the transport port inside a worker (spec 08, "Transport").

Structurally an ``untether.client.transport.Connector``. A browser answers pings by itself and
tells nobody, so that a line that died in silence is noticed only by asking.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

from untether.adapters.transport.failures import closed, not_a_relay, not_read, unreachable
from untether.adapters.transport.outbox import Outbox
from untether.adapters.transport.socket_url import socket_url
from untether.base.errors import NetworkError, RemoteError
from untether.base.identifiers import SECOND_MS
from untether.base.limits import (
    CLOSE_MS,
    CONNECT_MS,
    PACKET_MAX,
    RECEIVE_AHEAD_MAX,
    WRITE_BUFFER_MAX,
    WRITE_STALL_MS,
)
from untether.wire.packets import frames_of

_LOOK_AGAIN_S: Final = 0.02
"""A browser does not say when it has sent something; it can only be looked at."""
_FRAME_COST: Final = 256
"""Bytes that a frame takes beside its own, however small it is."""


class BrowserConnection:
    """One open WebSocket to a relay; its handlers are called by the browser."""

    def __init__(self, socket: Any) -> None:
        ffi: Any = import_module("pyodide.ffi")
        self._to_js = ffi.to_js
        self._socket = socket
        self._outbox = Outbox(self._send_packet)
        self._packets: asyncio.Queue[list[bytes] | NetworkError] = asyncio.Queue()
        self._received: deque[bytes] = deque()
        self._ahead = 0
        self._opened = asyncio.Event()
        self._handlers = {
            "open": ffi.create_proxy(lambda _: self._opened.set()),
            "message": ffi.create_proxy(self._take),
            "close": ffi.create_proxy(self._take_end),
        }
        for name, handler in self._handlers.items():
            socket.addEventListener(name, handler)

    async def opened(self) -> bool:
        """Wait until the socket is open; False when it could not be opened."""
        await self._opened.wait()
        return bool(self._handlers)

    async def send(self, frame: bytes) -> None:
        """See the port."""
        self._outbox.post(frame)
        if self._outbox.full:
            await self._outbox.drained()

    async def receive(self) -> bytes:
        """See the port."""
        while not self._received:
            came = await self._packets.get()
            if isinstance(came, NetworkError):
                self._packets.put_nowait(came)  # whoever asks again hears the same
                raise came
            self._received.extend(came)
        frame = self._received.popleft()
        self._ahead -= _cost(frame)
        return frame

    async def close(self) -> None:
        """See the port."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_MS / SECOND_MS):
                await self._outbox.drained()
        self._outbox.close()
        self._end(closed(None))
        self._socket.close()

    async def _send_packet(self, packet: bytes) -> None:
        """Hand a packet to the browser, once it has sent most of those before.

        Gives a relay up that takes nothing for WRITE_STALL_MS.
        """
        loop = asyncio.get_running_loop()
        waiting, since = self._socket.bufferedAmount, loop.time()
        while self._socket.bufferedAmount > WRITE_BUFFER_MAX // 4:
            await asyncio.sleep(_LOOK_AGAIN_S)
            if self._socket.bufferedAmount < waiting:
                waiting, since = self._socket.bufferedAmount, loop.time()
            if loop.time() - since > WRITE_STALL_MS / SECOND_MS:
                self._end(not_read())
                self._socket.close()
                raise ConnectionError
        self._socket.send(self._to_js(packet))

    def _take(self, event: Any) -> None:
        if isinstance(event.data, str):
            self._give_up("it sent text where frames are binary")
        elif event.data.byteLength > PACKET_MAX:
            self._give_up("it sent too much at once")
        else:
            try:
                self._keep(frames_of(event.data.to_bytes()))
            except RemoteError:
                self._give_up("it sent something that is no packet of frames")

    def _keep(self, frames: list[bytes]) -> None:
        """Keep frames until they are taken; a browser takes all that comes, and holds nobody up."""
        self._ahead += sum(map(_cost, frames))
        if self._ahead > RECEIVE_AHEAD_MAX:
            self._give_up("it sends faster than this device can read")
        else:
            self._packets.put_nowait(frames)

    def _give_up(self, why: str) -> None:
        self._end(not_a_relay(why))
        self._socket.close()

    def _take_end(self, event: Any) -> None:
        self._end(closed(event.code))

    def _end(self, error: NetworkError) -> None:
        """Let go of the browser's socket; what came before the end is still received."""
        for name, handler in self._handlers.items():
            self._socket.removeEventListener(name, handler)
            handler.destroy()
        if self._handlers:
            self._packets.put_nowait(error)
        self._handlers = {}
        self._opened.set()


def _cost(frame: bytes) -> int:
    return len(frame) + _FRAME_COST


class BrowserConnector:
    """Opens WebSockets to the relay that has served this page."""

    def __init__(self, origin: str) -> None:
        self.origin = origin

    async def connect(self) -> BrowserConnection:
        """Open a socket; NetworkError ``unreachable``: a browser says no more."""
        js: Any = import_module("js")
        socket = js.WebSocket.new(socket_url(self.origin))
        socket.binaryType = "arraybuffer"
        connection = BrowserConnection(socket)  # which hears from now on
        try:
            async with asyncio.timeout(CONNECT_MS / SECOND_MS):
                if await connection.opened():
                    return connection
        except TimeoutError as error:
            await connection.close()
            raise unreachable(self.origin, "no answer in time") from error
        except BaseException:
            await connection.close()
            raise
        raise unreachable(self.origin, "the browser could not connect")
