"""Peers that die or talk nonsense before a socket is open: no failure of the relay's."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from pathlib import Path

import pytest
from aiohttp import web
from tests.unit.server.raw_peers import UPGRADE, opened
from tests.unit.server.relay_devices import register
from tests.unit.server.relay_process_helper import RelayServer, logged

from untether.adapters.transport.websocket import WebSocketConnector
from untether.server.relay_process import RelayProcess
from untether.server.sockets import Socket


@pytest.mark.parametrize("noticed", [False, True], ids=["unnoticed", "noticed"])
async def test_a_peer_that_dies_in_its_upgrade_is_counted(
    relay: RelayProcess,
    connector: WebSocketConnector,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    noticed: bool,
) -> None:
    """The relay knows of the loss already, or meets it on writing: it is quiet, nothing stays."""
    upgrade, ended = Socket.serve, asyncio.Event()

    async def die_first(self: Socket, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        if noticed:
            await asyncio.sleep(0.01)
        try:
            return await upgrade(self, request)
        finally:
            ended.set()

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(Socket, "serve", die_first)
        with opened(relay.address) as client:
            client.sendall(UPGRADE + b"\r\n")
            await asyncio.wait_for(ended.wait(), 5)
    assert b"untether_unfinished_upgrades_total 1.0" in relay.metrics.exposition()
    assert caplog.records == []
    assert relay.hub.sockets() == []
    await register(connector, "alice")


def test_what_peers_do_wrong_fills_no_log(tmp_path: Path) -> None:
    """Resets in the middle of an upgrade, no HTTP, and a subprotocol that nobody speaks."""
    with RelayServer(tmp_path / "data") as server:
        for _ in range(20):
            with opened(server.address) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.sendall(UPGRADE + b"\r\n")
        for words, answer in (
            (b"\x16\x03\x01 is TLS\r\n\r\n", b"HTTP/1.0 400"),
            (UPGRADE + b"no header\r\n\r\n", b"HTTP/1.0 400"),
            (UPGRADE + b"Sec-WebSocket-Protocol: chat\r\n\r\n", b"HTTP/1.1 101"),
        ):
            with opened(server.address) as client:
                client.sendall(words)
                assert client.recv(100).startswith(answer)
        assert server.stop()[0] == 0
        lines = logged(server.errors.read_text())
    assert [line["event"] for line in lines] == ["serving", "stopping", "stopped"]
