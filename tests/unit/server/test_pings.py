"""Pings: both ends learn that the other lives, and nobody can keep a relay busy with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSMsgType
from tests.unit.server.relay_devices import register

from untether.adapters.transport.address import socket_url
from untether.adapters.transport.websocket import WebSocketConnector
from untether.base.limits import REQUESTS_BURST
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


@pytest.mark.parametrize("kind", ["ping", "pong"])
async def test_a_flood_of_pings_ends_its_socket(
    relay: RelayProcess, connector: WebSocketConnector, kind: str
) -> None:
    """They count like requests, and others go on being served meanwhile."""
    alice = await register(connector, "alice")
    async with opened(relay, answering=False) as mallory:
        for _ in range(8 * REQUESTS_BURST):
            await (mallory.ping() if kind == "ping" else mallory.pong())
        await alice.log_in(connector)
        answers = 0
        while (received := await mallory.receive(timeout=5)).type is WSMsgType.PONG:
            answers += 1
        assert (received.type, received.data) == (WSMsgType.CLOSE, 1007)
        assert answers < 2 * REQUESTS_BURST


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
