"""The simulated relay process: what it does with many requests at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulation.faults import QUIET, Faults
from simulation.network import Wire
from simulation.world import World

from untether.adapters.storage.relay_memory_rows import MemoryRelayTransaction
from untether.base.identifiers import MINUTE_MS
from untether.base.limits import FRAME_MAX
from untether.wire import codec
from untether.wire.client_frames import FetchStatus, Request, ResolveName
from untether.wire.server_frames import Answer, Challenge

MANY = 3_000


class Listener:
    """The device's end of a connection; it keeps the tokens of the answers."""

    def __init__(self) -> None:
        self.tokens: list[int] = []

    def arrived(self, data: bytes) -> None:
        """See :class:`simulation.network.Side`."""
        answer = codec.decode(data, Answer, size_max=FRAME_MAX)
        if not isinstance(answer.frame, Challenge):
            self.tokens.append(answer.token)

    def lost(self) -> None:
        """See :class:`simulation.network.Side`."""
        pytest.fail("the connection is gone")


def test_any_number_of_requests_may_be_refused_at_once() -> None:
    """The first takes a while; the others need no row, and are refused in their order."""
    world = World(1, replace(QUIET, delay=0), 0)
    listener = Listener()
    wire = Wire(world, listener)
    world.nodes[0].accept(wire, "somebody")
    wire.to_relay(codec.encode(Request(1, ResolveName("nobody"))))
    for token in range(2, MANY):
        wire.to_relay(codec.encode(Request(token, FetchStatus())))
    world.schedule.run_until(world.now + MINUTE_MS)
    assert listener.tokens == list(range(1, MANY))


def test_decisions_meet_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """On two nodes, often enough that some are disturbed and have to begin anew."""
    alone: list[bool] = []
    is_isolated = MemoryRelayTransaction.is_isolated

    def noted(transaction: MemoryRelayTransaction) -> bool:
        alone.append(is_isolated(transaction))
        return alone[-1]

    monkeypatch.setattr(MemoryRelayTransaction, "is_isolated", noted)
    World(1, Faults(companions=2, nodes=2, pause=2_000), 40).run()
    assert alone.count(False) > 0
