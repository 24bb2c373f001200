"""A relay that takes nothing is given up; one that reads slowly is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from untether.adapters.transport import websocket
from untether.adapters.transport.websocket import WebSocketConnector
from untether.base.errors import NetworkError

FRAME = bytes(256 * 1024)


@pytest.fixture
async def reads() -> AsyncIterator[asyncio.Event]:
    """Lets the relay read."""
    yield asyncio.Event()


@pytest.fixture
def taken() -> list[int]:
    """How many bytes the relay has read."""
    return [0]


@pytest.fixture
async def connector(reads: asyncio.Event, taken: list[int]) -> AsyncIterator[WebSocketConnector]:
    """A way to a server that upgrades, and reads only when it is let."""

    async def serve(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert request.transport is not None
        await reads.wait()
        async for message in socket:
            taken[0] += len(message.data)
        return socket

    app = web.Application()
    app.router.add_get("/v1/socket", serve)
    async with (
        TestServer(app, host="127.0.0.1") as server,
        WebSocketConnector(str(server.make_url("")).rstrip("/")) as opened,
    ):
        yield opened
        reads.set()


async def test_a_relay_that_reads_nothing_is_given_up(
    connector: WebSocketConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends hears of it, and the socket is closed for whoever receives."""
    monkeypatch.setattr(websocket, "WRITE_STALL_MS", 300)
    monkeypatch.setattr(websocket, "CLOSE_MS", 300)
    connection = await connector.connect()
    receiving = asyncio.create_task(connection.receive())
    with pytest.raises(NetworkError) as stalled:
        async with asyncio.timeout(10):
            while True:
                await connection.send(FRAME)
    assert stalled.value.code == "no-answer"
    with pytest.raises(NetworkError) as closed:
        await asyncio.wait_for(receiving, 10)
    assert closed.value.code == "closed"


async def test_a_slow_relay_is_waited_for(
    connector: WebSocketConnector, reads: asyncio.Event, taken: list[int]
) -> None:
    """What fills its socket leaves when it reads on."""
    connection = await connector.connect()
    asyncio.get_running_loop().call_later(0.5, reads.set)
    async with asyncio.timeout(10):
        for _ in range(100):
            await connection.send(FRAME)
    await connection.close()
    assert taken[0] >= 100 * len(FRAME)
