"""A device's disk that is full or broken, at each change of a conversation (spec 09, "Failures").

Alice's phone runs on the encrypted database. Either each input is given again until it gets
through, with the disk failing from its first change on, then from its second …; or the disk fails
now and then, and what was under way is lost with the connection, as the driver has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.crashes.device_run import open_device
from tests.crashes.failing_disk import Fault, failing
from tests.world import World, WorldDevice

from untether.base.errors import PlatformError
from untether.base.identifiers import HOUR_MS
from untether.device import effects, events
from untether.device.inputs import Input, RelayPushed
from untether.device.store.own_device import State
from untether.wire.server_frames import Answer, Deliveries

CODES = {
    "full": {"disk-full"},
    "broken": {"io-error", "disk-full"},  # SQLite can't say why the log's index does not grow
    "sync": {"io-error"},
}


class FailingDevice(WorldDevice):
    """A device on a disk that fails, which tells how and how often."""

    fault: Fault
    codes: set[str]
    failures = 0

    def move_in(self, folder: Path) -> None:
        """Open the database on the disk that fails."""
        self.database.close()
        self.database = open_device(folder)  # type: ignore[assignment]

    @contextmanager
    def failing_at(self, change: int) -> Iterator[None]:
        """Let the disk fail inside; the error is clean and nothing has changed."""
        before = self.contents()
        self.fault.fail_at(change)
        try:
            yield
        except PlatformError as error:
            self.fault.mend()
            assert error.code in self.codes, error
            assert self.contents() == before
            assert self.database.rows("PRAGMA integrity_check") == [("ok",)]
            self.failures += 1
            raise
        finally:
            self.fault.mend()

    def contents(self) -> dict[str, Any]:
        """Return everything in the database."""
        tables = self.database.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return {name: self.database.rows(f"SELECT * FROM {name}") for (name,) in tables}  # noqa: S608


class StubbornDevice(FailingDevice):
    """Tries each input with the disk failing at each of its changes, until it gets through."""

    def feed(self, event: Input) -> list[events.Event]:
        change = 0
        while True:
            change += 1
            try:
                with self.failing_at(change):
                    return super().feed(event)
            except PlatformError:
                continue


class UnluckyDevice(FailingDevice):
    """Loses the connection, and what came over it, when its disk fails; that happens often."""

    def __init__(self, world: World, label: str, account_seed: bytes | None) -> None:
        super().__init__(world, label, account_seed)
        self._luck = Random(1)

    def feed(self, event: Input) -> list[events.Event]:
        if self.own_or_none is None or self.own.state is not State.ACTIVE:
            return super().feed(event)
        change = self._luck.randint(1, 30)  # often more than there are
        with self.failing_at(change):
            return super().feed(event)

    def _receive(self, answer: Answer) -> None:
        try:
            super()._receive(answer)
        except PlatformError:
            self.disconnect()


class DeafDevice(UnluckyDevice):
    """Twin: acknowledges mail as if its disk had not failed."""

    def feed(self, event: Input) -> list[events.Event]:
        try:
            return super().feed(event)
        except PlatformError:
            if not isinstance(event, RelayPushed) or not isinstance(event.frame, Deliveries):
                raise
            for entry in event.frame.entries:
                self._carry_out(effects.AcknowledgeMail(entry.stamp))
            return []


class FailingWorld(World):
    """A world whose first device is on a disk that fails."""

    def __init__(self, kind: type[FailingDevice], folder: Path, fault: Fault, how: str) -> None:
        super().__init__()
        self._kind, self._folder, self._fault, self._how = kind, folder, fault, how

    def new_device(self, label: str, account_seed: bytes | None = None) -> WorldDevice:
        """Make a device; the first one on the disk that fails."""
        if self.devices:
            return super().new_device(label, account_seed)
        device = self._kind(self, label, account_seed)
        device.fault, device.codes = self._fault, CODES[self._how]
        device.move_in(self._folder)
        self.devices.append(device)
        return device


def until_done(act: Callable[[], object]) -> None:
    """Let a person try something again until the disk lets it through."""
    while True:
        try:
            act()
        except PlatformError:
            continue
        return


def talk(world: FailingWorld, rounds: int, folder: Path) -> FailingDevice:
    """Let Alice and Bob write to each other; returns Alice's phone."""
    alice = world.register("alice")
    assert isinstance(alice, FailingDevice)
    bob = world.register("bob")
    for number in range(rounds):
        until_done(alice.connect)
        until_done(partial(alice.send, "bob", f"to bob {number}"))
        bob.send("alice", f"to alice {number}")
        if number % 4 == 3:
            until_done(lambda: world.pass_time(HOUR_MS))
        if number % 5 == 4:
            alice.disconnect()
            alice.move_in(folder)
            bob.send("alice", f"while alice was away {number}")
    while alice.link is None:
        until_done(alice.connect)
    return alice


@pytest.mark.parametrize("how", ["full", "broken", "sync"])
def test_a_device_whose_disk_fails_at_every_change(
    tmp_path: Path, how: str, record_property: Callable[[str, object], None]
) -> None:
    """Every refused change leaves the state before; tried again, everything comes once."""
    with failing(tmp_path, how) as fault:
        world = FailingWorld(StubbornDevice, tmp_path, fault, how)
        alice = talk(world, 6, tmp_path)
        check_all_came_once(world)
        assert alice.notices() == []
        alice.database.close()
    assert alice.failures >= 40
    record_property("figures", f"device, {how}: {alice.failures} refused changes")


@pytest.mark.parametrize("how", ["full", "broken", "sync"])
def test_a_device_that_loses_its_connection_whenever_its_disk_fails(
    tmp_path: Path, how: str, record_property: Callable[[str, object], None]
) -> None:
    """What was under way is asked for again, and everything comes once."""
    with failing(tmp_path, how) as fault:
        world = FailingWorld(UnluckyDevice, tmp_path, fault, how)
        alice = talk(world, 20, tmp_path)
        check_all_came_once(world)
        assert alice.notices() == []
        alice.database.close()
    assert alice.failures >= 10
    record_property("figures", f"device, {how}, losing its connection: {alice.failures} failures")


def test_twin_a_device_that_is_deaf_to_failures(tmp_path: Path) -> None:
    """Switched off: it acknowledges what its disk does not have."""
    with failing(tmp_path, "full") as fault:
        world = FailingWorld(DeafDevice, tmp_path, fault, "full")
        alice = talk(world, 20, tmp_path)
        with pytest.raises(AssertionError):
            check_all_came_once(world)
        alice.database.close()


def check_all_came_once(world: World) -> None:
    """Check that both have the same messages, each once."""
    alice, bob = world.devices
    assert sorted(alice.texts()) == sorted(bob.texts())
    assert len(set(bob.texts())) == len(bob.texts())
    assert world.mailbox_is_empty(alice)
    assert world.mailbox_is_empty(bob)
