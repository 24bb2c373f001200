"""Requests that the relay has not answered yet on this connection (spec 08, "Tokens").

The engine asks again freely, since asking twice is harmless; here it becomes one question. A
lost connection drops all: what matters is in the engine's rows and is asked again.
"""

from __future__ import annotations

import asyncio
from itertools import count

from untether.wire import codec
from untether.wire.client_frames import ClientFrame, Request
from untether.wire.server_frames import ServerFrame

Answered = asyncio.Future[ServerFrame]


class InFlight:
    """Tokens, their questions, and who waits for the answers."""

    def __init__(self) -> None:
        self._tokens = count(1)
        self._questions: dict[int, ClientFrame] = {}
        self._by_bytes: dict[bytes, int] = {}
        self._waiting: dict[int, Answered] = {}

    def add(self, frame: ClientFrame) -> tuple[bytes | None, Answered]:
        """Return the request to send, None when the same question is under way, and its answer."""
        encoded = codec.encode(frame)
        token = self._by_bytes.get(encoded)
        if token is not None:
            return None, self._waiting[token]
        token = next(self._tokens)
        self._by_bytes[encoded] = token
        self._questions[token] = frame
        self._waiting[token] = asyncio.get_running_loop().create_future()
        return codec.encode(Request(token, frame)), self._waiting[token]

    def take(self, token: int) -> tuple[ClientFrame, Answered] | None:
        """Return the question that an answer belongs to, or None for an unknown token."""
        frame = self._questions.pop(token, None)
        if frame is None:
            return None
        del self._by_bytes[codec.encode(frame)]
        return frame, self._waiting.pop(token)

    def lose(self, error: Exception) -> None:
        """The connection is gone: whoever waits hears why."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(error)
                waiting.exception()  # a question that nobody awaits is no error
        self._waiting.clear()
        self._questions.clear()
        self._by_bytes.clear()

    def __len__(self) -> int:
        return len(self._questions)
