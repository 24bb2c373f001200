"""A relay's disk that is full or broken, at each change of a conversation (spec 08, "Storage").

Each step is tried with the disk failing from its first change on, then from its second, and so on
until it gets through: a clean error with its code each time, and after it everything as before.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from tests.crashes.failing_disk import Fault, failing
from tests.crashes.relay_ledger import RelayLedger
from tests.crashes.relay_run import DATABASE, RelayPeople, noting_answers
from tests.unit.relay.relay_desk import make_phone, registration

from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.base.errors import PlatformError
from untether.base.identifiers import MINUTE_MS, DeviceAddress, MessageId
from untether.wire.server_frames import Done

Result = TypeVar("Result")
Figures = Callable[[str, object], None]
WAYS = ("full", "broken", "sync")
CODES = {
    "full": {"disk-full"},
    "broken": {"relay-storage", "disk-full"},  # SQLite can't say why the log's index does not grow
    "sync": {"relay-storage"},
}


class FailingRelay:
    """A relay on a disk that fails, and how often it has failed."""

    def __init__(self, folder: Path, fault: Fault, how: str) -> None:
        self._folder = folder
        self._copy = folder / "copy"
        self._fault = fault
        self._codes = CODES[how]
        self.failures = 0
        self._targets: dict[MessageId, tuple[DeviceAddress, ...]] = {}
        self.ledger = RelayLedger(self._targets)

    async def start(self) -> RelayPeople:
        """Make the database, at the n-th attempt."""
        self.store = await self._until_done(self._open)
        self.people = RelayPeople(self.store, self.ledger.learn)
        self.people.targets = self._targets
        return self.people

    async def restart(self) -> None:
        """Stop on a disk that fails, which must not be heard, and start again."""
        self._fault.fail_at(1)
        await self.store.close()
        self._fault.mend()
        self.people.desk.store = self.store = await self._until_done(self._open)

    async def until_done(self, act: Callable[[], Awaitable[Result]]) -> Result:
        """Do something at the n-th attempt; after each everything must be as it was."""
        return await self._until_done(act, self._check)

    def _check(self) -> None:
        """Compare what the relay sees, and what another one would see if it died now."""
        self.people.desk.pass_time(MINUTE_MS)  # or so many attempts would be too many
        self.ledger.compare(self.store._connection)
        shutil.rmtree(self._copy, ignore_errors=True)
        self._copy.mkdir()
        for name in (DATABASE, f"{DATABASE}-wal"):
            shutil.copy(self._folder / name, self._copy)
        self.ledger.check(self._copy)

    async def _open(self) -> SqliteRelayStore:
        return SqliteRelayStore.open(self._folder / DATABASE)

    async def _until_done(
        self, act: Callable[[], Awaitable[Result]], check: Callable[[], None] = lambda: None
    ) -> Result:
        """Try with the disk failing at each change of the act, until none fails any more."""
        change = 0
        while True:
            change += 1
            self._fault.fail_at(change)
            try:
                result = await act()
            except PlatformError as error:
                assert error.code in self._codes, error
                self.failures += 1
            else:
                if not self._fault.failures:
                    return result
            finally:
                self._fault.mend()
            check()


async def talk(relay: FailingRelay) -> dict[DeviceAddress, list[MessageId]]:
    """Let two people register, write and read on a relay that fails; return what came."""
    people = await relay.start()
    received: dict[DeviceAddress, list[MessageId]] = {}
    with noting_answers(relay.ledger.learn):
        for name in ("alice", "bob"):
            people.devices.append(make_phone(people.desk, name))
            frame = registration(people.devices[-1])
            answer = await relay.until_done(partial(people.desk.ask_as_guest, frame))
            assert isinstance(answer, Done)
        for round_ in range(8):
            letter = people.letter()
            await relay.until_done(partial(people.submit, *letter))
            for device in people.devices[: round_ % 3]:
                ids = await relay.until_done(partial(people.receive, device))
                received.setdefault(device.address, []).extend(ids)
            if round_ % 3 == 2:
                await relay.until_done(relay.store.checkpoint)
                await relay.restart()
        for device in people.devices:
            while ids := await people.receive(device):
                received.setdefault(device.address, []).extend(ids)
    return received


@pytest.mark.parametrize("how", WAYS)
async def test_a_relay_whose_disk_fails_at_every_change(
    tmp_path: Path, how: str, record_property: Figures
) -> None:
    """What was refused changed nothing, what was answered is there, and each message comes once."""
    with failing(tmp_path, how) as fault:
        relay = FailingRelay(tmp_path, fault, how)
        received = await talk(relay)
        await relay.store.close()
    for device in relay.people.devices:
        expected = [id_ for id_, to in relay.people.targets.items() if device.address in to]
        assert sorted(received[device.address]) == sorted(expected)
    record_property("figures", f"relay, {how}: {relay.failures} refused changes")


async def test_twin_a_relay_that_is_deaf_to_a_failed_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: an answer in spite of the failure, and the message is nowhere."""
    answer = staticmethod(lambda jobs, _error: SqliteRelayStore._answer(jobs))
    monkeypatch.setattr(SqliteRelayStore, "_fail", answer)
    with failing(tmp_path, "full") as fault:
        relay = FailingRelay(tmp_path, fault, "full")
        with pytest.raises(AssertionError):
            await talk(relay)
        await relay.store.close()
