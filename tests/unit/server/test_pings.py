"""Pings: both ends learn that the other lives, and nobody can keep a relay busy with them."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from tests.unit.server.raw_peers import PING, upgraded

from untether.adapters.transport.socket_url import socket_url
from untether.server import sockets
from untether.server.relay_process import RelayProcess


@asynccontextmanager
async def opened(
    relay: RelayProcess, *, answering: bool = True
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a socket that answers pings, or one that does not, and read the challenge."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(socket_url(relay.address), autoping=answering) as socket,
    ):
        await socket.receive()
        yield socket


async def test_a_ping_is_answered(relay: RelayProcess) -> None:
    """With the bytes that it brought."""
    async with opened(relay, answering=False) as peer:
        await peer.ping(b"are you there?")
        pong = await peer.receive()
        assert (pong.type, bytes(pong.data)) == (WSMsgType.PONG, b"are you there?")


async def test_who_answers_no_ping_is_cut(
    relay: RelayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead peer is noticed; a silent one that lives is kept."""
    monkeypatch.setattr(sockets, "HEARTBEAT_MS", 200)
    async with opened(relay) as living, opened(relay, answering=False):
        listening = asyncio.create_task(living.receive())
        assert len(relay.hub.sockets()) == 2
        await asyncio.sleep(1)
        assert len(relay.hub.sockets()) == 1
        assert not listening.done()
        listening.cancel()


async def test_who_takes_no_pong_is_cut(
    relay: RelayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer whose answers fill the way to it is dropped like any other slow reader."""

    async def stuck(_self: web.WebSocketResponse, _message: bytes = b"") -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(sockets, "WRITE_STALL_MS", 200)
    monkeypatch.setattr(web.WebSocketResponse, "pong", stuck)
    async with opened(relay) as mallory:
        await mallory.ping()
        end = await mallory.receive(timeout=4)  # a silent guest is closed after five seconds
        assert end.type is WSMsgType.CLOSED
    assert relay.metrics.cuts == {"slow-reader": 1}


async def test_who_has_gone_before_its_pong_fills_no_log(
    relay: RelayProcess, caplog: pytest.LogCaptureFixture
) -> None:
    """A hundred pings and a reset: no failure of the relay's."""
    for _ in range(5):
        with upgraded(relay.address) as mallory:
            while not relay.hub.sockets():  # noqa: ASYNC110 (the relay tells no test)
                await asyncio.sleep(0.01)
            mallory.sendall(PING * 100)
            mallory.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        while relay.hub.sockets():  # noqa: ASYNC110 (the relay tells no test)
            await asyncio.sleep(0.01)
    assert caplog.records == []
