"""Pings: both ends learn that the other lives, and nobody can keep a relay busy with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSMsgType

from untether.adapters.transport.address import socket_url
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
