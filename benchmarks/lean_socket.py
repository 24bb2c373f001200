"""A WebSocket client for load generators: as little Python as RFC 6455 allows.

Frames that were collected in one tick leave in one write. The mask is all zero: the server
still unmasks, but the generator spends nothing on it. Never use it for anything else.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from secrets import token_bytes
from typing import cast

_MASK = bytes(4)


class LeanSocket(asyncio.Protocol):
    """One connection; ``on_frame`` gets the payload of every binary frame."""

    def __init__(self, host: str, path: str, on_frame: Callable[[bytes], None]) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_frame = on_frame
        self._upgrade = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(token_bytes(16)).decode()}\r\n\r\n"
        ).encode()
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._collected: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._upgrade)

    def connection_lost(self, error: Exception | None) -> None:
        """Fail whoever still waits for the upgrade."""
        if not self.opened.done():
            self.opened.set_exception(error or ConnectionResetError())

    def data_received(self, data: bytes) -> None:
        """Cut the stream into frames."""
        data = self._received + data if self._received else data
        if not self.opened.done():
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._received = head
                return
            if b" 101 " not in head[:20]:
                self.opened.set_exception(ConnectionError(head[:60].decode("latin-1")))
                return
            self.opened.set_result(None)
        self._received = self._cut(data)

    def _cut(self, data: bytes) -> bytes:
        place, end = 0, len(data)
        while end - place >= 2:
            length, start = data[place + 1], place + 2
            if length == 126:
                start += 2
                length = int.from_bytes(data[place + 2 : start], "big")
            elif length == 127:
                start += 8
                length = int.from_bytes(data[place + 2 : start], "big")
            if start + length > end or start > end:
                break
            opcode = data[place] & 0x0F
            place = start + length
            if opcode == 2:
                self.on_frame(data[start:place])
            elif opcode == 9:
                self._collected.append(bytes([0x8A, 0x80]) + _MASK)
        return data[place:]

    def send(self, payload: bytes) -> None:
        """Collect a binary frame for :meth:`flush`."""
        length = len(payload)
        if length < 126:
            head = bytes([0x82, 0x80 | length])
        elif length < 65536:
            head = b"\x82\xfe" + length.to_bytes(2, "big")
        else:
            head = b"\x82\xff" + length.to_bytes(8, "big")
        self._collected.append(head + _MASK + payload)

    def flush(self) -> None:
        """Write everything collected."""
        if self._collected and self._transport is not None:
            self._transport.write(b"".join(self._collected))
            self._collected.clear()

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()
