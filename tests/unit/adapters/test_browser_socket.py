"""The browser's socket: what a relay must not send, a relay that takes nothing, and the end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from tests.browser_parts import JsBytes, Proxy, give

from untether.adapters.browser import socket as browser_socket
from untether.adapters.browser.socket import BrowserConnection, BrowserConnector
from untether.base.errors import NetworkError
from untether.base.limits import PACKET_MAX, WRITE_BUFFER_MAX
from untether.wire.packets import frames_of, packet_of

FRAME = b"\xc4\x05hello"
PATIENCE_S = 5


class Socket:
    """A WebSocket that does what the test says; ``buffered`` is what the relay has not taken."""

    def __init__(self, address: str = "") -> None:
        self.address = address
        self.handlers: dict[str, Proxy] = {}
        self.proxies: list[Proxy] = []
        self.sent: list[bytes] = []
        self.is_sent = asyncio.Event()
        self.closings = 0
        self.buffered = 0
        self.takes = 0

    def addEventListener(self, name: str, handler: Proxy) -> None:  # noqa: N802 (a browser's name)
        self.handlers[name] = handler
        self.proxies.append(handler)

    def removeEventListener(self, name: str, handler: Proxy) -> None:  # noqa: N802
        assert self.handlers.pop(name) is handler

    @property
    def bufferedAmount(self) -> int:  # noqa: N802
        self.buffered = max(0, self.buffered - self.takes)
        return self.buffered

    def send(self, packet: JsBytes) -> None:
        self.sent.append(packet.to_bytes())
        self.is_sent.set()

    def close(self) -> None:
        self.closings += 1

    def happens(self, name: str, **event: Any) -> None:
        """Let the browser tell of something, if anybody listens."""
        if name in self.handlers:
            self.handlers[name](SimpleNamespace(**event))


@pytest.fixture(autouse=True)
def _browser(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch)


@pytest.fixture
def socket() -> Socket:
    """A socket that is open, and takes everything."""
    return Socket()


async def failure_of(connection: BrowserConnection) -> NetworkError:
    """Return how receiving ends."""
    with pytest.raises(NetworkError) as failed:
        await asyncio.wait_for(connection.receive(), PATIENCE_S)
    return failed.value


async def test_frames_come_and_go_in_packets(socket: Socket) -> None:
    """What is posted in one tick leaves in one packet; a packet that comes is cut again."""
    connection = BrowserConnection(socket)
    await connection.send(FRAME)
    await connection.send(FRAME)
    await asyncio.sleep(0)
    assert [frames_of(packet) for packet in socket.sent] == [[FRAME, FRAME]]
    socket.happens("message", data=JsBytes(packet_of([FRAME, b"\x01"])))
    assert [await connection.receive(), await connection.receive()] == [FRAME, b"\x01"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("a text", "it sent text"),
        (JsBytes(b"\x00"), "it sent something that is no packet"),
        (JsBytes(packet_of([b"\xc6" + PACKET_MAX.to_bytes(4) + bytes(PACKET_MAX)])), "too much"),
    ],
    ids=["text", "no packet", "too large"],
)
async def test_what_no_relay_sends_ends_the_connection(
    socket: Socket, data: str | JsBytes, why: str
) -> None:
    """The cause is named, the socket closed, and nothing of it listens any more."""
    connection = BrowserConnection(socket)
    socket.happens("message", data=data)
    failed = await failure_of(connection)
    assert failed.code == "not-a-relay"
    assert why in failed.message
    assert socket.closings == 1
    await connection.close()
    for _ in range(2):  # the first cause stays
        assert (await failure_of(connection)).code == "not-a-relay"
    assert not socket.handlers


async def test_what_is_too_large_is_not_copied(socket: Socket) -> None:
    """A packet of the largest size is taken; above it, not even its bytes."""
    connection = BrowserConnection(socket)
    largest, larger = JsBytes(bytes(PACKET_MAX)), JsBytes(bytes(PACKET_MAX + 1))
    socket.happens("message", data=larger)
    await failure_of(connection)
    BrowserConnection(socket)
    socket.happens("message", data=largest)
    assert (larger.copies, largest.copies) == (0, 1)


async def test_a_relay_that_takes_nothing_is_given_up(
    socket: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing more is handed to the browser, and whoever receives hears why."""
    monkeypatch.setattr(browser_socket, "WRITE_STALL_MS", 100)
    connection = BrowserConnection(socket)
    socket.buffered = WRITE_BUFFER_MAX
    await connection.send(FRAME)
    failed = await failure_of(connection)
    assert failed.code == "no-answer"
    assert socket.closings == 1
    socket.buffered = 0
    await connection.send(FRAME)
    await connection.close()
    assert socket.sent == []


async def test_a_relay_that_takes_slowly_is_waited_for(
    socket: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as what waits gets less, it may take longer than a relay that takes nothing."""
    monkeypatch.setattr(browser_socket, "WRITE_STALL_MS", 200)
    connection = BrowserConnection(socket)
    socket.buffered, socket.takes = WRITE_BUFFER_MAX, WRITE_BUFFER_MAX // 60
    began = asyncio.get_running_loop().time()
    await connection.send(FRAME)
    await asyncio.wait_for(socket.is_sent.wait(), PATIENCE_S)
    assert asyncio.get_running_loop().time() - began > 0.2
    assert socket.closings == 0


async def test_what_came_before_the_end_is_received(socket: Socket) -> None:
    """Then the end, with the code that the relay gave, as often as somebody asks."""
    connection = BrowserConnection(socket)
    socket.happens("message", data=JsBytes(packet_of([FRAME])))
    socket.happens("close", code=4003)
    assert await connection.receive() == FRAME
    for _ in range(2):
        failed = await failure_of(connection)
        assert (failed.code, failed.details["close_code"]) == ("closed", 4003)


async def test_a_closed_connection_lets_go_of_its_handlers(socket: Socket) -> None:
    """What was posted leaves first; then no function stays in the hands of the browser."""
    connection = BrowserConnection(socket)
    await connection.send(FRAME)
    await connection.close()
    assert [frames_of(packet) for packet in socket.sent] == [[FRAME]]
    assert not socket.handlers
    assert [proxy.is_destroyed for proxy in socket.proxies] == [True] * 3
    assert socket.closings == 1
    assert (await failure_of(connection)).code == "closed"
    await connection.close()
    assert [proxy.is_destroyed for proxy in socket.proxies] == [True] * 3


class Network:
    """Makes sockets, and lets one thing happen to each."""

    def __init__(self, patch: pytest.MonkeyPatch, **event: Any) -> None:
        self.sockets: list[Socket] = []
        self._event = event
        give(patch, self._opened)

    def _opened(self, address: str) -> Socket:
        made = Socket(address)
        self.sockets.append(made)
        if self._event:
            asyncio.get_running_loop().call_soon(lambda: made.happens(**self._event))
        return made


async def test_a_socket_is_opened_at_the_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is that of the page's origin, and gives bytes, not blobs."""
    network = Network(monkeypatch, name="open")
    connection = await BrowserConnector("https://relay.example").connect()
    (socket,) = network.sockets
    assert socket.address == "wss://relay.example/v1/socket"
    assert vars(socket)["binaryType"] == "arraybuffer"
    await connection.close()


@pytest.mark.parametrize("event", [{"name": "close", "code": 1006}, {}], ids=["refused", "silent"])
async def test_no_relay_is_unreachable(
    monkeypatch: pytest.MonkeyPatch, event: dict[str, Any]
) -> None:
    """Refused or never answered: one code, and nothing listens on."""
    monkeypatch.setattr(browser_socket, "CONNECT_MS", 50)
    network = Network(monkeypatch, **event)
    with pytest.raises(NetworkError) as failed:
        await asyncio.wait_for(BrowserConnector("https://relay.example").connect(), PATIENCE_S)
    assert failed.value.code == "unreachable"
    assert not network.sockets[0].handlers


async def test_a_cancelled_opening_lets_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket is closed, though nobody had it yet."""
    network = Network(monkeypatch)
    opening = asyncio.create_task(BrowserConnector("https://relay.example").connect())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert network.sockets[0].closings == 1
    assert not network.sockets[0].handlers
