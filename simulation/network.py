"""Connections between devices and relay nodes, and what happens to them.

Theory of operation. A connection is what a WebSocket over TCP is: in each direction frames
arrive in the order in which they were sent, or not at all. So nothing is lost *within* a
connection; what a real network does is end it, at any frame:

- *reset*: both sides learn it at once. Frames to the device that have not arrived are gone.
  Frames to the relay may still arrive (*late*): the relay reads what its kernel has, so a request
  of a dead connection may be decided after those of the next one. This is how requests get
  repeated, lost and reordered.
- *stall*: from some frame on nothing arrives any more, and each side learns it from its own
  timer, up to 45 s later.
- *partition*: all connections of a device stall, and new ones fail, for a while.
- *repeat*: a frame arrives twice, as through a middle box that sends again. No TCP does that;
  engines must bear it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from simulation.choices import around, happens
from untether.base.identifiers import SECOND_MS

if TYPE_CHECKING:
    from simulation.world import World

NOTICED_WITHIN_MS = 45 * SECOND_MS


class Side(Protocol):
    """One end of a connection."""

    def arrived(self, data: bytes) -> None:
        """Take one frame."""
        ...

    def lost(self) -> None:
        """Learn that the connection is gone."""
        ...


class Wire:
    """One connection; each direction keeps its order."""

    def __init__(self, world: World, device: Side) -> None:
        self._world = world
        self._random = world.choices.stream(f"wire/{world.count()}")
        self._device = device
        self._relay: Side | None = None
        self._last_arrival = {"device": 0, "relay": 0}
        self._is_stalled = False
        self.is_up = True

    def attach(self, relay: Side) -> None:
        """Say who is at the relay's end."""
        self._relay = relay

    def to_relay(self, data: bytes) -> None:
        """Send a frame from the device."""
        if self.is_up and self._relay is not None:
            self._send("relay", self._relay.arrived, data)

    def to_device(self, data: bytes) -> None:
        """Send a frame from the relay."""
        if self.is_up:
            self._send("device", self._if_up(self._device.arrived), data)

    def reset(self) -> None:
        """End the connection; both sides learn it now."""
        if not self.is_up:
            return
        self.is_up = False
        self._device.lost()
        if self._relay is not None:
            self._relay.lost()

    def leave(self) -> None:
        """The device's process is gone: only the relay is told, soon."""
        if not self.is_up:
            return
        self.is_up = False
        self._world.schedule.after(around(self._random, 200), self._tell_relay)

    def vanish(self) -> None:
        """The relay's process is gone: the device is told, soon."""
        if not self.is_up:
            return
        self.is_up = False
        self._world.schedule.after(around(self._random, 200), self._device.lost)

    def stall(self) -> None:
        """Let nothing arrive from now on; each side notices by its own timer."""
        if self._is_stalled or not self.is_up:
            return
        self._is_stalled = True
        after = self._world.schedule.after
        after(self._random.randrange(1, NOTICED_WITHIN_MS), self._give_up)

    def _give_up(self) -> None:
        if self.is_up:
            self.is_up = False
            self._device.lost()
            wait = self._random.randrange(1, NOTICED_WITHIN_MS)
            self._world.schedule.after(wait, self._tell_relay)

    def _tell_relay(self) -> None:
        if self._relay is not None:
            self._relay.lost()

    def _send(self, to: str, arrived: Callable[[bytes], None], data: bytes) -> None:
        faults = self._world.faults
        self._world.watch.frame(data)
        if happens(self._random, faults.stall):
            self._world.trace.note(self._world.now, to, "stall")
            self.stall()
        if happens(self._random, faults.reset):
            self._world.trace.note(self._world.now, to, "reset")
            self._world.schedule.after(around(self._random, faults.delay), self.reset)
        if self._is_stalled:
            return
        delay = around(self._random, faults.delay)
        due = max(self._last_arrival[to], self._world.now + delay)
        self._last_arrival[to] = due
        self._world.schedule.at(due, lambda: self._arrive(to, arrived, data))
        if happens(self._random, faults.repeat):
            self._world.trace.note(self._world.now, to, "repeat")
            self._world.schedule.at(due, lambda: self._arrive(to, arrived, data))

    def _arrive(self, to: str, arrived: Callable[[bytes], None], data: bytes) -> None:
        if self.is_up:
            arrived(data)
        elif to == "relay" and not self._is_stalled and self._is_late():
            self._world.trace.note(self._world.now, to, "late")
            arrived(data)

    def _is_late(self) -> bool:
        return happens(self._random, self._world.faults.late)

    def _if_up(self, arrived: Callable[[bytes], None]) -> Callable[[bytes], None]:
        def take(data: bytes) -> None:
            if self.is_up:
                arrived(data)

        return take
