"""A conversation of real device engines, one of whose disks is recorded.

Alice's phone runs on the encrypted database; Bob, his laptop and her own laptop run in memory. They
write to each other on and off line, a device joins, time passes, so that sessions start and turn,
prekeys are refilled, receipts leave, and messages are sealed again for a newer list.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from tests.crashes.disks import mounted
from tests.crashes.power_cut import Recording
from tests.world import World, WorldDevice
from tests.world_relay import Link

from untether.adapters.storage.device_apsw import ApswDeviceDatabase
from untether.base.identifiers import DAY_MS, HOUR_MS, MessageId, UnixMillis
from untether.base.secret_bytes import SecretBytes
from untether.device import effects, inputs
from untether.device.store.database import DeviceDatabase
from untether.device.store.upgrade import bring_up_to_date, packaged_upgrades
from untether.wire.client_frames import ClientFrame, Submit, SubmitDirect
from untether.wire.records import Stamp
from untether.wire.server_frames import Accepted, Answer, Deliveries, ServerFrame, Submitted

DATABASE: Final = "device.db"
KEY: Final = SecretBytes(b"the key of the recorded database")


class Did(NamedTuple):
    """The device has carried out this effect, so what stands behind it is durable."""

    effect: effects.Effect
    now: UnixMillis


class Pushed(NamedTuple):
    """The relay has given the device these entries."""

    entries: tuple[tuple[Stamp, MessageId], ...]


class Taken(NamedTuple):
    """The relay has accepted a message of the device."""

    message_id: MessageId


def open_device(folder: Path) -> DeviceDatabase:
    """Open the recorded database, or an image of it, as a profile does."""
    database = ApswDeviceDatabase.open(folder / DATABASE, KEY)
    try:
        bring_up_to_date(database, packaged_upgrades())
    except BaseException:
        database.close()
        raise
    return database


class RecordedDevice(WorldDevice):
    """A device whose disk is recorded, and with it everything that leaves the device."""

    recording: Recording

    def restart(self) -> None:
        """End the process in order and begin another one."""
        self.disconnect()
        self.database.close()
        self.database = open_device(self.recording.folder)  # type: ignore[assignment]

    def _carry_out(self, effect: effects.Effect) -> None:
        self.recording.note(Did(effect, self.now))
        super()._carry_out(effect)

    def _receive(self, answer: Answer) -> None:
        if isinstance(answer.frame, Deliveries):
            found = tuple((entry.stamp, entry.message_id) for entry in answer.frame.entries)
            self.recording.note(Pushed(found))
        super()._receive(answer)


class RecordedWorld(World):
    """A world in which the first device is recorded."""

    def __init__(self, recording: Recording, kind: type[RecordedDevice], seed: int) -> None:
        super().__init__(seed)
        self._recording = recording
        self._kind = kind
        self.relay.answering = self._note_taken

    def new_device(self, label: str, account_seed: bytes | None = None) -> WorldDevice:
        """Make a device; the first one on the recorded disk."""
        if self.devices:
            return super().new_device(label, account_seed)
        device = self._kind(self, label, account_seed)
        device.recording = self._recording
        device.database.close()
        device.database = open_device(self._recording.folder)  # type: ignore[assignment]
        self.devices.append(device)
        return device

    def register_recorded(self, name: str) -> RecordedDevice:
        """Make the account of the first device."""
        phone = self.register(name)
        assert isinstance(phone, RecordedDevice)
        return phone

    def _note_taken(self, link: Link, request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        if link.device is self.devices[0] and isinstance(request, Submit | SubmitDirect):
            assert isinstance(answer, Submitted), answer
            if all(isinstance(verdict, Accepted) for verdict in answer.verdicts):
                self._recording.note(Taken(request.message_id))
        return answer


class DeviceRun:
    """Two people talk; :attr:`recording` is of the phone of one of them."""

    def __init__(
        self, folder: Path, seed: int = 1, kind: type[RecordedDevice] = RecordedDevice
    ) -> None:
        self.recording = Recording(folder)
        self._random = Random(seed)
        self._kind = kind
        self._seed = seed
        self.messages = 0

    def play(self, messages: int) -> None:
        """Let them write so many messages, then go on until all is quiet."""
        with mounted(self.recording):
            self._world = world = RecordedWorld(self.recording, self._kind, self._seed)
            self._phone = world.register_recorded("alice")
            bob = world.register("bob")
            self._others = [bob, world.link(bob, "bob's laptop")]
            self._phone.send("bob", "number 0")
            bob.send("alice", "number 1")
            self.messages = 2
            while self.messages < messages:
                self._step(messages)
            for device in self._everybody:
                device.connect()
            world.pass_time(HOUR_MS)
            self._check_quiet()
            self._phone.database.close()

    @property
    def _everybody(self) -> list[WorldDevice]:
        return [self._phone, *self._others]

    def _step(self, messages: int) -> None:
        chance = self._random.random()
        if self.messages == messages // 2 and len(self._others) == 2:
            self._link_laptop()
        elif chance < 0.06:
            self._random.choice(self._everybody).disconnect()
        elif chance < 0.2:
            self._random.choice(self._everybody).connect()
        elif chance < 0.22:
            self._phone.restart()
        elif chance < 0.3:
            self._world.pass_time(self._random.choice((1_000, 3_000, HOUR_MS, DAY_MS // 2)))
        else:
            self._write(self._phone if self._random.random() < 0.5 else None)

    def _write(self, author: WorldDevice | None) -> None:
        author = author or self._random.choice(self._others)
        other = self._phone if author in self._others[:2] else self._others[0]
        author.feed(inputs.SendText(other.own.account_id, f"number {self.messages}"))
        self.messages += 1
        if self._random.random() < 0.8:  # else more is written before anything moves
            self._world.settle()

    def _link_laptop(self) -> None:
        self._phone.connect()
        self._others.append(self._world.link(self._phone, "alice's laptop"))

    def _check_quiet(self) -> None:
        first_ones = [self._phone, *self._others[:2]]
        expected = sorted(f"number {number}" for number in range(self.messages))
        for device in first_ones:
            assert sorted(device.texts()) == expected, device.label
            assert self._world.mailbox_is_empty(device), device.label
