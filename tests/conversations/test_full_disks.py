"""A disk that is full or broken at any write of any step: nothing is half done, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, cycle, product
from pathlib import Path

import pytest
from tests import world as small_world
from tests.conversations.failing_disk import FAILURES, KEY, FailingDisk
from tests.conversations.mishaps import recover
from tests.world import World, WorldDevice

from untether.adapters.storage.device_apsw import ApswDeviceDatabase
from untether.adapters.storage.sqlite_database import SqliteDatabase
from untether.base.errors import PlatformError, UntetherError
from untether.base.identifiers import DAY_MS
from untether.base.limits import RATCHET_ANSWER_JITTER_MS, RECEIPT_JITTER_MS
from untether.device import events, linking_admission
from untether.device.inputs import Input
from untether.device.store.upgrade import bring_up_to_date, packaged_upgrades

A_MOMENT_MS = 4 * max(RATCHET_ANSWER_JITTER_MS, RECEIPT_JITTER_MS)


class UnluckyDevice(WorldDevice):
    """Each step fails at its first write, then at its second, and so on, before it succeeds."""

    directory: Path
    failures = 0

    def __init__(self, world: World, label: str, account_seed: bytes | None) -> None:
        super().__init__(world, label, account_seed)
        self.database.close()
        path = self.directory / f"{world.count()}.db"
        self.disk = FailingDisk()
        encrypted = self.disk.open(path)
        bring_up_to_date(encrypted, packaged_upgrades())
        self.database = encrypted  # type: ignore[assignment]
        self._witness = ApswDeviceDatabase.open(path, KEY)
        self._kinds = cycle(product(FAILURES, (True, False)))

    def feed(self, event: Input) -> list[events.Event]:
        """See the base."""
        for writes in count():
            code, lasting = next(self._kinds)
            before = self._version()
            self.disk.fail_after(writes, code, lasting=lasting)
            try:
                happened = super().feed(event)
            except PlatformError as error:
                assert self.disk.mend()
                assert (error.code, bool(error.hint)) == (FAILURES[code], True)
            else:
                assert not self.disk.mend(), "a failure was passed over"
                return happened
            assert self._version() == before, "a step that failed has committed something"
            type(self).failures += 1
        raise AssertionError

    def close(self) -> None:
        """Close the database."""
        self.database.close()
        self._witness.close()

    def _version(self) -> int:
        """Ask another connection, as another process would, for a number that commits change."""
        return int(self._witness.rows("PRAGMA data_version")[0][0])


@pytest.fixture
def unlucky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world where every disk fails at every write once."""
    with monkeypatch.context() as patch:
        patch.setattr(small_world, "WorldDevice", UnluckyDevice)
        patch.setattr(UnluckyDevice, "directory", tmp_path, raising=False)
        patch.setattr(UnluckyDevice, "failures", 0)
        world = World()
        yield world
        for device in world.devices:
            assert isinstance(device, UnluckyDevice)
            device.close()


Seen = list[tuple[str, list[tuple[str, str, bool]], list[str]]]


def live_through(world: World) -> Seen:
    """Meet, link, write, renew, log out with a wipe, recover; return what people have seen."""
    alice, bob = world.register("alice"), world.register("bob")
    alice.send("bob", "hello")
    bob.send("alice", "hi")
    laptop = world.link(alice, "laptop")
    laptop.send("bob", "from the laptop")
    world.pass_time(A_MOMENT_MS)
    world.pass_time(DAY_MS)
    bob.send("alice", "good morning")
    world.pass_time(A_MOMENT_MS)
    alice.log_out(laptop, wipe=True)
    recover(world, bob)
    alice.send("bob", "is it you?")
    world.pass_time(A_MOMENT_MS)
    return [
        (
            device.label,
            [(one.text, one.state, one.outgoing) for one in device.history()],
            sorted(device.notices()),
        )
        for device in world.devices
    ]


def test_a_failure_of_every_write_changes_nothing(unlucky: World) -> None:
    """The story of two people is the same as with good disks, on each of their devices."""
    seen = live_through(unlucky)
    assert UnluckyDevice.failures > 1_500
    phone, _, laptop, new_phone = seen
    assert len(phone[1]) == 5
    assert (laptop[1], new_phone[1]) == ([], [("is it you?", "sent", False)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_world, "WorldDevice", WorldDevice)
        assert seen == live_through(World())


def test_twin_that_takes_a_full_disk_for_a_refusal_is_found(
    unlucky: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that passes over a failure of the disk, and does something else, does not stay."""
    monkeypatch.setattr(linking_admission, "RemoteError", UntetherError)
    monkeypatch.setattr(SqliteDatabase, "_failure", property(lambda _: None, lambda _, __: None))
    alice = unlucky.register("alice")
    with pytest.raises(AssertionError):
        unlucky.link(alice, "laptop")
