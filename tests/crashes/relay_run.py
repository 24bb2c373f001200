"""A relay under load whose disk is recorded, and what must hold of it after a power cut.

People submit at the same time, so that decisions share commits; devices read and acknowledge;
prekeys are brought and handed out; the log is emptied, and the relay is stopped and started again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import pytest
from tests.crashes.disks import mounted
from tests.crashes.power_cut import Recording
from tests.unit.relay.relay_desk import RelayDesk, RelayDevice, link, register, sealed_for

from untether.adapters.storage import relay_sqlite
from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.base.identifiers import DeviceAddress, MessageId
from untether.relay.outcome import Decision
from untether.relay.transaction import RelayStore
from untether.wire.client_frames import Acknowledge, ClaimPrekeys, DepositPrekeys, Submit
from untether.wire.server_frames import (
    Accepted,
    Bundles,
    Deliveries,
    Done,
    PrekeysStored,
    Submitted,
)

DATABASE: Final = "relay.sqlite3"
SECOND_MS: Final = 1000


class Answered(NamedTuple):
    """The relay has answered with this, so it is durable."""

    frame: Submitted | Bundles


class Pushed(NamedTuple):
    """A device was given these entries: number and message id of each."""

    address: DeviceAddress
    entries: tuple[tuple[int, MessageId], ...]


class Acknowledged(NamedTuple):
    """A device acknowledges up to a number; the relay has confirmed it, or not yet."""

    address: DeviceAddress
    number: int
    confirmed: bool


@contextmanager
def noting_answers(note: Callable[[Answered], None]) -> Iterator[None]:
    """Note what the store answers at the moment when it does so."""
    answer = relay_sqlite._Job.answer

    def noted(job: relay_sqlite._Job) -> None:
        decided = job.result if job.error is None else None
        if isinstance(decided, Decision) and isinstance(decided.answer, Submitted | Bundles):
            note(Answered(decided.answer))
        answer(job)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relay_sqlite._Job, "answer", noted)
        yield


class RelayPeople:
    """Five devices of three people, and what they do at a relay; ``note`` hears the facts."""

    def __init__(self, store: RelayStore, note: Callable[[Any], None], seed: int = 1) -> None:
        self.desk = RelayDesk(store)
        self.random = Random(seed)
        self.devices: list[RelayDevice] = []
        self.targets: dict[MessageId, tuple[DeviceAddress, ...]] = {}
        self._note = note

    async def register(self) -> None:
        """Make their accounts, and link two laptops."""
        alice, bob, carol = [await register(self.desk, name) for name in ("alice", "bob", "carol")]
        self.devices = [alice, await link(alice), bob, await link(bob), carol]

    def any_device(self) -> RelayDevice:
        """Return one of the devices."""
        return self.random.choice(self.devices)

    def letter(self) -> tuple[RelayDevice, Submit]:
        """Let one device seal a message for another person (or itself) and its own devices."""
        sender = self.any_device()
        people = {one.person.name: one.person for one in (self.any_device(), sender)}
        recipients = [sealed_for(person, sender) for person in people.values()]
        body = self.random.randbytes(self.random.choice((300, 300, 700, 9_000)))
        frame = sender.submit(*recipients, body=body)
        self.targets[frame.message_id] = tuple(
            DeviceAddress(recipient.account_id, copy.device)
            for recipient in recipients
            for copy in recipient.copies
        )
        return sender, frame

    async def submit(self, sender: RelayDevice, frame: Submit) -> None:
        """Submit a message; the relay accepts it for everybody."""
        answer = await sender.ask(frame)
        assert isinstance(answer, Submitted)
        assert all(isinstance(verdict, Accepted) for verdict in answer.verdicts), answer

    async def receive(self, device: RelayDevice) -> tuple[MessageId, ...]:
        """Read some mail, acknowledge it and return its message ids."""
        batch: Deliveries = await device.read(window=self.random.randint(1, 40))
        if not batch.entries:
            return ()
        last = batch.entries[-1].stamp
        numbered = tuple((one.stamp.number, one.message_id) for one in batch.entries)
        self._note(Pushed(device.address, numbered))
        self._note(Acknowledged(device.address, last.number, confirmed=False))
        assert isinstance(await device.ask(Acknowledge(last)), Done)
        self._note(Acknowledged(device.address, last.number, confirmed=True))
        return tuple(one.message_id for one in batch.entries)

    async def claim(self, device: RelayDevice) -> None:
        """Ask for prekeys of some device."""
        target = self.any_device()
        frame = ClaimPrekeys(target.account_id, (target.certificate.device,))
        assert isinstance(await device.ask(frame), Bundles)

    async def deposit(self, device: RelayDevice) -> None:
        """Bring prekeys."""
        assert isinstance(await device.ask(DepositPrekeys(device.stock())), PrekeysStored)


class RelayRun:
    """A relay that people keep busy, and the recording of its disk."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.recording = Recording(folder)
        self._path = folder / DATABASE
        self._random = Random(seed)

    async def play(self, messages: int) -> None:
        """Let people send so many messages."""
        note = self.recording.note
        with mounted(self.recording), noting_answers(note):
            self.people = RelayPeople(SqliteRelayStore.open(self._path), note)
            await self.people.register()
            while len(self.people.targets) < messages:
                await self._round(messages - len(self.people.targets))
            await self._store.close()

    @property
    def _store(self) -> SqliteRelayStore:
        assert isinstance(self.people.desk.store, SqliteRelayStore)
        return self.people.desk.store

    async def _round(self, messages_max: int) -> None:
        people, random = self.people, self._random
        people.desk.pass_time(30 * SECOND_MS)
        chance = random.random()
        if chance < 0.1:
            await self._store.checkpoint()
        elif chance < 0.13:
            await self._store.close()
            people.desk.store = SqliteRelayStore.open(self._path)
        count = min(messages_max, random.randint(1, 12))
        acts: list[Coroutine[Any, Any, Any]] = [
            people.submit(*people.letter()) for _ in range(count)
        ]
        for device in people.devices:
            acts += [people.receive(device)] if random.random() < 0.4 else []
            acts += [people.claim(device)] if random.random() < 0.05 else []
            acts += [people.deposit(device)] if random.random() < 0.05 else []
        random.shuffle(acts)
        await asyncio.gather(*acts)
