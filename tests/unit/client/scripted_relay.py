"""A relay made of a script: the test reads what the device sends and says what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from untether.base.errors import NetworkError
from untether.base.identifiers import RelayId, UnixMillis
from untether.base.limits import FRAME_MAX, LEASE_MAX_MS
from untether.wire.client_frames import ClientFrame, Request
from untether.wire.codec import decode, encode
from untether.wire.server_frames import Answer, Challenge, ServerFrame

NOW = UnixMillis(1_800_000_000_000)
CHALLENGE = Challenge(
    relay_id=RelayId(bytes(16)),
    nonce=bytes(32),
    relay_time=NOW,
    registration="open",
    lease_max_ms=LEASE_MAX_MS,
)


class ScriptedConnection:
    """One socket, whose other end is the test."""

    def __init__(self, first: bytes | None) -> None:
        self.sent: list[Request] = []
        self.closed = False
        self._incoming: asyncio.Queue[bytes | NetworkError] = asyncio.Queue()
        if first is not None:
            self._incoming.put_nowait(first)

    def say(self, token: int, frame: ServerFrame) -> None:
        """Let the relay say something."""
        self._incoming.put_nowait(encode(Answer(token, frame)))

    def lose(self) -> None:
        """Cut the line."""
        self._incoming.put_nowait(NetworkError("closed", "cut", "wait"))

    async def send(self, frame: bytes) -> None:
        """See the port."""
        self.sent.append(decode(frame, Request, size_max=FRAME_MAX))

    async def receive(self) -> bytes:
        """See the port."""
        received = await self._incoming.get()
        if isinstance(received, NetworkError):
            raise received
        return received

    async def close(self) -> None:
        """See the port."""
        self.closed = True


class ScriptedConnector:
    """Opens scripted sockets; ``refuse`` makes the next tries fail."""

    def __init__(self, first: bytes | None = encode(Answer(0, CHALLENGE))) -> None:
        self.origin = "http://localhost:8080"
        self.opened: list[ScriptedConnection] = []
        self.refuse = 0
        self._first = first

    @property
    def last(self) -> ScriptedConnection:
        """The socket opened last."""
        return self.opened[-1]

    async def connect(self) -> ScriptedConnection:
        """See the port."""
        if self.refuse:
            self.refuse -= 1
            raise NetworkError("unreachable", "nobody there", "wait")
        self.opened.append(ScriptedConnection(self._first))
        return self.last


class Notebook:
    """Receives what comes over a line, and writes it down; ``fail`` may raise."""

    def __init__(self) -> None:
        self.challenges: list[str] = []
        self.answers: list[tuple[ClientFrame, ServerFrame]] = []
        self.pushes: list[ServerFrame] = []
        self.fail: Callable[[], None] = lambda: None

    async def challenged(self, challenge: Challenge, origin: str) -> None:
        """See the port."""
        assert challenge == CHALLENGE
        self.challenges.append(origin)

    async def answered(self, request: ClientFrame, answer: ServerFrame) -> None:
        """See the port."""
        self.fail()
        self.answers.append((request, answer))

    async def pushed(self, frame: ServerFrame) -> None:
        """See the port."""
        self.fail()
        self.pushes.append(frame)


async def turn() -> None:
    """Let everything that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)
