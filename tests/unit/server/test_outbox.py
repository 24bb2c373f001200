"""What waits for a peer: in order, bounded, and gone with the socket."""

from __future__ import annotations

import asyncio

from untether.base.limits import WRITE_BUFFER_MAX
from untether.server.outbox import Outbox


class Peer:
    """Takes frames only while its gate is open."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.gate = asyncio.Event()
        self.is_gone = False

    async def take(self, frame: bytes) -> None:
        """Be the socket's send method."""
        await self.gate.wait()
        if self.is_gone:
            raise ConnectionResetError
        self.taken.append(frame)


async def test_frames_leave_in_order_when_the_peer_reads() -> None:
    """Posting never waits; draining does, until the last frame was taken."""
    peer = Peer()
    outbox = Outbox(peer.take)
    for frame in (b"1", b"2", b"3"):
        outbox.post(frame)
    assert (outbox.waiting_bytes, peer.taken) == (3, [])
    assert outbox.is_waiting
    peer.gate.set()
    await outbox.drained()
    assert outbox.waiting_bytes == 0
    assert not outbox.is_waiting
    assert peer.taken == [b"1", b"2", b"3"]
    await outbox.drained()


async def test_a_peer_that_does_not_read_fills_it() -> None:
    """Requests stop at a quarter of the buffer, news at all of it."""
    outbox = Outbox(Peer().take)
    outbox.post(bytes(WRITE_BUFFER_MAX // 4))
    assert not outbox.full
    outbox.post(b"x")
    assert outbox.full
    assert not outbox.overflowing
    outbox.post(bytes(WRITE_BUFFER_MAX))
    assert outbox.overflowing
    outbox.close()
    await asyncio.sleep(0)
    assert not outbox.full


async def test_a_lost_connection_drops_what_waits() -> None:
    """Nobody waits for a peer that is gone, and nothing is kept for it."""
    peer = Peer()
    outbox = Outbox(peer.take)
    outbox.post(b"1")
    outbox.post(b"2")
    peer.is_gone = True
    peer.gate.set()
    await outbox.drained()
    outbox.post(b"3")
    assert (outbox.waiting_bytes, peer.taken) == (0, [])
