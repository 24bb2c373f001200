"""Power cuts of both databases, and of twins whose defences are switched off."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.crashes.device_ledger import DeviceLedger
from tests.crashes.device_run import DeviceRun, Did, RecordedDevice, open_device
from tests.crashes.disks import mounted
from tests.crashes.power_cut import Check, Recording, Tally, cut_power, cuts, sample
from tests.crashes.relay_ledger import RelayLedger
from tests.crashes.relay_run import DATABASE, RelayRun

from untether.adapters.storage import device_apsw, relay_sqlite, sqlite_database
from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.device import engine, events
from untether.device.inputs import Input


def cut_relay(folder: Path, *, messages: int, count: int | None, again_every: int = 0) -> Tally:
    """Record a relay under load, cut its power ``count`` times (or everywhere), check it."""
    disk, image, second = _folders(folder)
    run = RelayRun(disk)
    asyncio.run(run.play(messages))
    ledger = RelayLedger(run.people.targets)
    check = _Again(ledger.check, _start_relay, second, again_every)
    return check.counted(
        cut_power(
            run.recording,
            sample(cuts(run.recording), count, seed=1),
            learn=ledger.learn,
            check=check,
            folder=image,
        )
    )


def cut_device(
    folder: Path,
    *,
    messages: int,
    count: int | None,
    again_every: int = 0,
    kind: type[RecordedDevice] = RecordedDevice,
) -> Tally:
    """Record a device in a conversation, cut its power likewise, check it."""
    disk, image, second = _folders(folder)
    run = DeviceRun(disk, kind=kind)
    run.play(messages)
    ledger = DeviceLedger()
    check = _Again(ledger.check, lambda found: open_device(found).close(), second, again_every)
    return check.counted(
        cut_power(
            run.recording,
            sample(cuts(run.recording), count, seed=1),
            learn=ledger.learn,
            check=check,
            folder=image,
        )
    )


class _Again:
    """A check that lets the power fail again, at every moment, while an image is started."""

    def __init__(
        self, check: Check, start: Callable[[Path], None], folder: Path, every: int
    ) -> None:
        self._check = check
        self._start = start
        self._folders = [folder / "disk", folder / "image"]
        self._every = every
        self._images = 0
        self._tally = Tally()

    def __call__(self, folder: Path) -> None:
        """Check an image, and what a second cut makes of it if it is its turn."""
        self._images += 1
        if self._every and self._images % self._every == 0:
            self._cut_again(folder)
        self._check(folder)

    def counted(self, tally: Tally) -> Tally:
        """Add what the second cuts have shown."""
        tally.again += self._tally.cuts
        tally.failures += self._tally.failures
        return tally

    def _cut_again(self, image: Path) -> None:
        disk, second = self._folders
        shutil.rmtree(disk.parent, ignore_errors=True)
        shutil.copytree(image, disk)
        second.mkdir()
        recording = Recording(disk)
        with mounted(recording):
            self._start(disk)
        found = cut_power(
            recording, cuts(recording), learn=lambda _: None, check=self._check, folder=second
        )
        self._tally.cuts += found.cuts
        self._tally.failures += found.failures


def _start_relay(folder: Path) -> None:
    async def start() -> None:
        await SqliteRelayStore.open(folder / DATABASE).close()

    asyncio.run(start())


def _folders(folder: Path) -> tuple[Path, Path, Path]:
    made = folder / "disk", folder / "image", folder / "second"
    for one in made:
        one.mkdir()
    return made


# --- twins ----------------------------------------------------------------------------------


@contextmanager
def relay_that_syncs_less(mode: str) -> Iterator[None]:
    """Switch off that a commit waits for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relay_sqlite, "_SETTINGS", _less(relay_sqlite._SETTINGS, mode))
        yield


@contextmanager
def device_that_syncs_less(mode: str) -> Iterator[None]:
    """Switch off that a commit waits for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device_apsw, "SETTINGS", _less(sqlite_database.SETTINGS, mode))
        yield


@contextmanager
def relay_that_answers_early() -> Iterator[None]:
    """Switch off that answers wait for the commit."""
    step = SqliteRelayStore._step

    def answer_at_once(store: SqliteRelayStore, jobs: list[relay_sqlite._Job]) -> None:
        step(store, jobs)
        store._answer(jobs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqliteRelayStore, "_step", answer_at_once)
        yield


class HastyDevice(RecordedDevice):
    """Switch off that effects wait for the commit."""

    def feed(self, event: Input) -> list[events.Event]:
        """Let everything leave before it is durable."""
        before = len(self.events)
        with self.database.transaction():
            wanted = engine.handle(
                event, now=self.now, randomness=self.world.randomness, database=self.database
            )
            for effect in wanted:
                self.recording.note(Did(effect, self.now))
        for effect in wanted:
            super()._carry_out(effect)
        return self.events[before:]


def _less(settings: str, mode: str) -> str:
    assert "synchronous = FULL" in settings
    return settings.replace("synchronous = FULL", f"synchronous = {mode}")
