"""A device's line to the relay: one wire, its questions, its patience, its loss.

It does what ``untether.client.relay_line`` does: one question for equal requests, one socket at a
time, which is opened again after a growing delay, and is given up when no answer comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulation.network import Wire
from simulation.schedule import Timer
from untether.base.errors import UntetherError
from untether.base.limits import ANSWER_MS, FRAME_MAX
from untether.client.reconnect import reconnect_delay_ms
from untether.wire import codec
from untether.wire.client_frames import ClientFrame, Request
from untether.wire.server_frames import Answer

if TYPE_CHECKING:
    from simulation.device_actor import DeviceActor


class DeviceLine:
    """The line of one device, for as long as that exists."""

    def __init__(self, device: DeviceActor) -> None:
        self._device = device
        self._world = device.world
        self.is_partitioned = False
        self._wire: Wire | None = None
        self._questions: dict[int, ClientFrame] = {}
        self._by_bytes: dict[bytes, int] = {}
        self._patience: Timer | None = None
        self._reconnecting: Timer | None = None
        self._failures = 0

    def connect_soon(self, wait_ms: int = 0) -> None:
        """Go online, and stay so."""
        if self._reconnecting is not None:
            self._reconnecting.cancel()
        self._reconnecting = self._world.schedule.after(wait_ms, self._connect)

    def _connect(self) -> None:
        self._reconnecting = None
        device = self._device
        if not device.is_up or device.is_gone or not device.is_online or self._wire is not None:
            return
        node = self._world.node_for(device.random)
        if node is None or self.is_partitioned:
            self._connect_again()
            return
        end = _DeviceEnd(self)
        wire = Wire(self._world, end)
        end.wire = self._wire = wire
        node.accept(wire, device.name)

    def _connect_again(self) -> None:
        self._failures += 1
        self.connect_soon(reconnect_delay_ms(self._failures, self._device.randomness))

    def logged_in(self) -> None:
        """The relay has taken the login: the next loss is the first one again."""
        self._failures = 0

    def disconnect(self) -> None:
        """Close the line; whoever waits for an answer hears nothing more."""
        wire, self._wire = self._wire, None
        self._questions.clear()
        self._by_bytes.clear()
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if wire is not None:
            wire.leave()

    def lost(self, wire: Wire) -> None:
        """The connection is gone: open another one soon."""
        if wire is self._wire:
            self.disconnect()
            self._connect_again()

    def partition(self, milliseconds: int) -> None:
        """Let nothing through for a while."""
        self._device.note("partition", str(milliseconds))
        self.is_partitioned = True
        if self._wire is not None:
            self._wire.stall()
        self._world.schedule.after(milliseconds, self._end_partition)

    def _end_partition(self) -> None:
        self.is_partitioned = False

    def ask(self, frame: ClientFrame) -> None:
        """Ask the relay, unless the same question waits for its answer already."""
        if self._wire is None:
            return
        encoded = codec.encode(frame)
        if encoded in self._by_bytes:
            return
        token = self._world.count()
        self._questions[token] = frame
        self._by_bytes[encoded] = token
        self._wire.to_relay(codec.encode(Request(token, frame)))
        self._renew_patience()

    def tell(self, frame: ClientFrame) -> None:
        """Send what wants no answer."""
        if self._wire is not None:
            self._wire.to_relay(codec.encode(Request(0, frame)))

    def arrived(self, wire: Wire, data: bytes) -> None:
        """Take one frame of the current wire."""
        if wire is not self._wire:
            return
        answer = codec.decode(data, Answer, size_max=FRAME_MAX)
        if self._patience is not None and self._questions:
            self._renew_patience()
        try:
            self._take(answer)
        except UntetherError as error:
            self._device.note("line-ended", error.code)
            self.lost(wire)

    def _take(self, answer: Answer) -> None:
        if not answer.token:
            self._device.pushed(answer.frame)
        elif question := self._questions.pop(answer.token, None):
            self._by_bytes.pop(codec.encode(question), None)
            self._device.answered(question, answer.frame)

    def _renew_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        wire = self._wire
        self._patience = self._world.schedule.after(ANSWER_MS, lambda: self._out_of_patience(wire))

    def _out_of_patience(self, wire: Wire | None) -> None:
        if wire is not None and wire is self._wire and self._questions:
            self._device.note("no-answer")
            self.lost(wire)


class _DeviceEnd:
    """The device's end of one connection."""

    wire: Wire

    def __init__(self, line: DeviceLine) -> None:
        self._line = line

    def arrived(self, data: bytes) -> None:
        self._line.arrived(self.wire, data)

    def lost(self) -> None:
        self._line.lost(self.wire)
