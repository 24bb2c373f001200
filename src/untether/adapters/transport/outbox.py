"""What waits to be sent on one socket (spec 08, "Transport"; docs/operating.md, "Slow readers").

Posting never waits, so one slow reader holds up nobody. A task exists only while something
waits: an idle connection costs no task, and everything posted in one tick of the event loop
leaves in one packet. What bounds the memory is that producers look first: a relay reads no
requests while :attr:`Outbox.full`, and no deliveries before :meth:`Outbox.drained`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from untether.base.limits import WRITE_BUFFER_MAX
from untether.wire.packets import packet_of, take_frames


class Outbox:
    """Frames on their way to one peer, in order; ``send`` sends one packet."""

    def __init__(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._send = send
        self._frames: deque[bytes] = deque()
        self._flushing: asyncio.Task[None] | None = None
        self._closed = False
        self.waiting_bytes = 0
        self.waiting_since: float | None = None
        """Loop time at which the packet now being sent began to wait; None when idle."""

    @property
    def is_waiting(self) -> bool:
        """True while the peer has not taken everything."""
        return self.waiting_since is not None

    @property
    def full(self) -> bool:
        """True while nothing should be added that can wait."""
        return self.waiting_bytes > WRITE_BUFFER_MAX // 4

    @property
    def overflowing(self) -> bool:
        """True when the peer is so far behind that not even news may be added."""
        return self.waiting_bytes > WRITE_BUFFER_MAX

    def post(self, frame: bytes) -> None:
        """Add a frame; it leaves in this or the next tick if the peer reads."""
        if self._closed:
            return
        self._frames.append(frame)
        self.waiting_bytes += len(frame)
        if self._flushing is None:
            loop = asyncio.get_running_loop()
            self.waiting_since = loop.time()
            self._flushing = loop.create_task(self._flush())

    async def drained(self) -> None:
        """Wait until everything was handed to the operating system, or the socket is gone."""
        flushing = self._flushing
        if flushing is not None:
            await asyncio.wait({flushing})

    def close(self) -> None:
        """Drop what waits; later posts vanish."""
        self._closed = True
        self._frames.clear()
        self.waiting_bytes = 0
        self.waiting_since = None
        if self._flushing is not None:
            self._flushing.cancel()

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._frames:
                frames = take_frames(self._frames)
                await self._send(packet_of(frames))
                self.waiting_bytes -= sum(map(len, frames))
                self.waiting_since = loop.time()
        except ConnectionError:
            self._closed = True
        except Exception:
            self._closed = True
            raise
        finally:
            self._flushing = None
            if self._closed:
                self._frames.clear()
            if not self._frames:
                self.waiting_bytes = 0
                self.waiting_since = None
