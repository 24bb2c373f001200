"""WebSockets through aiohttp: the native implementation of the client's transport port.

Structurally an ``untether.client.transport.Connector``; adapters stand below the client and
can't name it. Every failure becomes a NetworkError with a code that says who must act.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

import aiohttp

from untether.adapters.transport.address import relay_address
from untether.adapters.transport.failures import closed, not_a_relay, not_read, unreachable
from untether.adapters.transport.outbox import Outbox
from untether.adapters.transport.socket_url import socket_url
from untether.base.errors import LocalError, NetworkError, RemoteError
from untether.base.identifiers import SECOND_MS
from untether.base.limits import CLOSE_MS, CONNECT_MS, HEARTBEAT_MS, PACKET_MAX, WRITE_STALL_MS
from untether.wire.packets import frames_of

_TOO_MANY_REQUESTS = 429
_PROXY_FAILURES = {502, 503, 504}
_NO_TLS = "WRONG_VERSION_NUMBER"  # what OpenSSL calls an answer in the clear


class WebSocketConnection:
    """One open WebSocket to a relay."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._outbox = Outbox(socket.send_bytes)
        self._received: deque[bytes] = deque()

    async def send(self, frame: bytes) -> None:
        """Send one frame, with those that wait; raises NetworkError ``closed``."""
        if self._socket.closed:
            raise closed(self._socket.close_code)
        self._outbox.post(frame)
        if self._outbox.full:
            await self._until_taken()

    async def _until_taken(self) -> None:
        """Wait for a relay that reads slowly, and give up one that does not read at all."""
        loop = asyncio.get_running_loop()
        while self._outbox.full:
            stalls_at = (self._outbox.waiting_since or loop.time()) + WRITE_STALL_MS / SECOND_MS
            if loop.time() >= stalls_at:
                await self.close()
                raise not_read()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(stalls_at):
                    await self._outbox.drained()

    async def receive(self) -> bytes:
        """Wait for the next frame; raises NetworkError ``closed`` or ``not-a-relay``."""
        if not self._received:
            self._received.extend(await self._receive_packet())
        return self._received.popleft()

    async def _receive_packet(self) -> list[bytes]:
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            await self.close()
            raise not_a_relay("it sent text where frames are binary")
        if message.type is not aiohttp.WSMsgType.BINARY:
            raise closed(self._socket.close_code)
        try:
            return frames_of(message.data)
        except RemoteError as error:
            await self.close()
            raise not_a_relay("it sent something that is no packet of frames") from error

    async def close(self) -> None:
        """Send what waits and close the socket; closing twice is allowed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_MS / SECOND_MS):
                await self._outbox.drained()
        self._outbox.close()
        await self._socket.close()


class WebSocketConnector:
    """Opens WebSockets to one relay, with one HTTP session for all of them.

    Enter it as an asynchronous context, or call :meth:`close` at the end.
    """

    def __init__(self, url: str, *, ca_file: Path | None = None) -> None:
        self.origin = relay_address(url)
        self._tls = _client_context(ca_file) if self.origin.startswith("https:") else True
        self._session: aiohttp.ClientSession | None = None
        self._connections: WeakSet[WebSocketConnection] = WeakSet()

    async def __aenter__(self) -> WebSocketConnector:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def connect(self) -> WebSocketConnection:
        """Open a socket; NetworkError ``unreachable``, ``tls-failed`` or ``not-a-relay``."""
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        try:
            async with asyncio.timeout(CONNECT_MS / SECOND_MS):
                socket = await self._session.ws_connect(
                    socket_url(self.origin),
                    ssl=self._tls,
                    compress=0,
                    max_msg_size=PACKET_MAX + 1,  # aiohttp refuses what reaches it
                    heartbeat=HEARTBEAT_MS / SECOND_MS,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_MS / SECOND_MS),
                )
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            raise _tls_failed(self.origin, error) from error
        except aiohttp.WSServerHandshakeError as error:
            raise _not_upgraded(self.origin, error.status) from error
        except (aiohttp.ClientConnectionError, TimeoutError, OSError) as error:
            raise _unreachable(self.origin, error) from error
        except aiohttp.ClientError as error:
            raise not_a_relay("it does not speak HTTP as a relay does") from error
        connection = WebSocketConnection(socket)
        self._connections.add(connection)
        return connection

    async def close(self) -> None:
        """Close every socket and the HTTP session."""
        await asyncio.gather(*(one.close() for one in list(self._connections)))
        if self._session is not None:
            await self._session.close()
            self._session = None


def _client_context(ca_file: Path | None) -> ssl.SSLContext:
    """Verify certificates by the system's authorities, or only by ``ca_file`` when given."""
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise LocalError(
            "bad-ca-file",
            f"The certificate file {ca_file} can't be loaded.",
            "It must hold PEM certificates that this user may read.",
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _unreachable(origin: str, error: BaseException) -> NetworkError:
    return unreachable(
        origin, "no answer in time" if isinstance(error, TimeoutError) else _reason(error)
    )


def _tls_failed(origin: str, error: BaseException) -> NetworkError:
    failure = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    if getattr(failure, "reason", None) == _NO_TLS:
        return NetworkError(
            "tls-failed",
            f"{origin} does not speak TLS.",
            "A relay on this machine may be meant: write its address with http:// then.",
        )
    return NetworkError(
        "tls-failed",
        f"{origin} could not prove who it is: {_reason(error)}.",
        "Its certificate is wrong or expired, or somebody is in between. Ask its operator.",
    )


def _reason(error: BaseException) -> str:
    """Say in the system's words what failed, without the library's own."""
    failure = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    said = getattr(failure, "verify_message", None) or getattr(failure, "strerror", None)
    return str(said or failure)


def _not_upgraded(origin: str, status: int) -> NetworkError:
    """Tell a busy relay and a proxy whose relay is down from what is no relay at all."""
    if status == _TOO_MANY_REQUESTS:
        return NetworkError(
            "too-many-connections",
            f"{origin} has too many connections from this network.",
            "Try again in a few seconds.",
        )
    if status in _PROXY_FAILURES:
        return NetworkError(
            "unreachable",
            f"The proxy at {origin} can't reach the relay (HTTP status {status}).",
            "Its operator must look whether the relay runs.",
        )
    return not_a_relay(f"it answered with HTTP status {status}")
