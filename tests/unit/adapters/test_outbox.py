"""What waits for a peer: in order, bounded, and gone with the socket."""

from __future__ import annotations

import asyncio

from untether.adapters.transport.outbox import Outbox
from untether.base.limits import FRAMES_PER_PACKET_MAX, WRITE_BUFFER_MAX
from untether.wire.packets import frames_of


class Peer:
    """Takes packets only while its gate is open."""

    def __init__(self) -> None:
        self.taken: list[list[bytes]] = []
        self.gate = asyncio.Event()
        self.is_gone = False

    async def take(self, packet: bytes) -> None:
        """Be the socket's send method."""
        await self.gate.wait()
        if self.is_gone:
            raise ConnectionResetError
        self.taken.append(frames_of(packet))


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
    assert peer.taken == [[b"1", b"2", b"3"]]
    await outbox.drained()


async def test_what_comes_while_the_peer_is_busy_leaves_together() -> None:
    """The busier the peer, the more frames a packet carries, up to its bound."""
    peer = Peer()
    outbox = Outbox(peer.take)
    outbox.post(b"\x01")
    await asyncio.sleep(0)
    for _ in range(FRAMES_PER_PACKET_MAX + 1):
        outbox.post(b"\x02")
    assert outbox.waiting_bytes == FRAMES_PER_PACKET_MAX + 2
    peer.gate.set()
    await outbox.drained()
    assert [len(frames) for frames in peer.taken] == [1, FRAMES_PER_PACKET_MAX, 1]


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
