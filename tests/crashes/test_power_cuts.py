"""Power cuts at every moment: what was answered, acknowledged or sent is on the disk.

Here a sample of the moments is checked; ``make crashes`` checks all of them. The twins show that
the images tell a disk that was not synced from one that was, which killing a process can't.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from tests.crashes.device_ledger import DeviceLedger
from tests.crashes.device_run import DeviceRun, Did, RecordedDevice
from tests.crashes.power_cut import Tally, cut_power, cuts, sample
from tests.crashes.relay_ledger import RelayLedger
from tests.crashes.relay_run import RelayRun

from untether.adapters.storage import device_apsw, relay_sqlite, sqlite_database
from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.device import engine, events
from untether.device.inputs import Input

Figures = Callable[[str, object], None]


def cut_relay(folder: Path, *, messages: int, count: int | None) -> Tally:
    """Record a relay under load, cut its power ``count`` times (or everywhere), check it."""
    disk, image = folders(folder)
    run = RelayRun(disk)
    asyncio.run(run.play(messages))
    ledger = RelayLedger(run.people.targets)
    chosen = sample(cuts(run.recording), count, seed=1)
    return cut_power(run.recording, chosen, learn=ledger.learn, check=ledger.check, folder=image)


def cut_device(
    folder: Path,
    *,
    messages: int,
    count: int | None,
    kind: type[RecordedDevice] = RecordedDevice,
) -> Tally:
    """Record a device in a conversation, cut its power likewise, check it."""
    disk, image = folders(folder)
    run = DeviceRun(disk, kind=kind)
    run.play(messages)
    ledger = DeviceLedger()
    chosen = sample(cuts(run.recording), count, seed=1)
    return cut_power(run.recording, chosen, learn=ledger.learn, check=ledger.check, folder=image)


def folders(folder: Path) -> Iterable[Path]:
    """Make a folder for the recorded disk and one for the images of it."""
    made = (folder / "disk", folder / "image")
    for one in made:
        one.mkdir()
    return made


def test_a_relay_loses_its_power(tmp_path: Path, record_property: Figures) -> None:
    """Each answered message is there or was acknowledged, and nothing comes twice."""
    tally = cut_relay(tmp_path, messages=500, count=800)
    record_property("figures", f"power cuts of a relay, 500 messages: {tally}")
    assert tally.failures == []


def test_a_device_loses_its_power(tmp_path: Path, record_property: Figures) -> None:
    """Nothing acknowledged or shown is lost, and no message key is used twice."""
    tally = cut_device(tmp_path, messages=150, count=250)
    record_property("figures", f"power cuts of a device, 150 messages: {tally}")
    assert tally.failures == []


def without_syncs(settings: str, mode: str) -> str:
    """Return settings under which SQLite syncs less."""
    assert "synchronous = FULL" in settings
    return settings.replace("synchronous = FULL", f"synchronous = {mode}")


@pytest.mark.parametrize("mode", ["NORMAL", "OFF"])
def test_twin_a_relay_that_syncs_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """Switched off: answered messages are lost."""
    settings = without_syncs(relay_sqlite._SETTINGS, mode)
    monkeypatch.setattr(relay_sqlite, "_SETTINGS", settings)
    tally = cut_relay(tmp_path, messages=60, count=100)
    assert "an answered submission is not remembered" in str(tally.failures)


def test_twin_a_relay_that_answers_before_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: the answer is out, and the message was never written."""
    step = SqliteRelayStore._step

    def answer_at_once(store: SqliteRelayStore, jobs: list[relay_sqlite._Job]) -> None:
        step(store, jobs)
        store._answer(jobs)

    monkeypatch.setattr(SqliteRelayStore, "_step", answer_at_once)
    tally = cut_relay(tmp_path, messages=60, count=100)
    assert "an answered submission is not remembered" in str(tally.failures)


@pytest.mark.parametrize("mode", ["NORMAL", "OFF"])
def test_twin_a_device_that_syncs_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """Switched off: acknowledgements and messages are forgotten, or even the account."""
    monkeypatch.setattr(device_apsw, "SETTINGS", without_syncs(sqlite_database.SETTINGS, mode))
    tally = cut_device(tmp_path, messages=20, count=100)
    assert "is forgotten" in str(tally.failures)


class HastyDevice(RecordedDevice):
    """Twin: carries out effects before it commits."""

    def feed(self, event: Input) -> list[events.Event]:
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


def test_twin_a_device_that_acts_before_its_commit(tmp_path: Path) -> None:
    """Switched off: what has left is not on the disk, and message keys are used twice."""
    tally = cut_device(tmp_path, messages=20, count=200, kind=HastyDevice)
    assert "a message key was used twice" in str(tally.failures)
    assert "an acknowledgement is forgotten" in str(tally.failures)
