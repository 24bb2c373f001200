"""Peers that send any bytes: nothing between them and the relay keeps a rule."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from untether.adapters.transport.socket_url import SOCKET_PATH

UPGRADE = (
    f"GET {SOCKET_PATH} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
).encode()
PING = b"\x89\xfd\0\0\0\0" + bytes(125)
"""The largest ping, masked by zeros."""


@contextmanager
def opened(address: str) -> Iterator[socket.socket]:
    """Open a plain connection to a relay."""
    port = int(address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        yield client


@contextmanager
def upgraded(address: str) -> Iterator[socket.socket]:
    """Open a connection and ask for a socket, without reading the answer."""
    with opened(address) as client:
        client.sendall(UPGRADE + b"\r\n")
        yield client
