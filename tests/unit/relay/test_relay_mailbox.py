"""Mailboxes and delivery: read by stamp, emptied by acknowledgement (spec 08, "Mailbox")."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.relay.relay_desk import BODY, HEADER, RelayDesk, RelayDevice, link, only
from tests.unit.relay.relay_rows import count_bodies

from untether.adapters.storage.relay_memory import MemoryRelayStore
from untether.base import limits
from untether.base.identifiers import DAY_MS, SECOND_MS, UnixMillis
from untether.relay import delivery, housekeeping
from untether.relay.housekeeping import Sweep, expire
from untether.relay.mailbox import begin_incarnation
from untether.relay.outcome import StartDelivery
from untether.relay.principals import Device
from untether.wire.client_frames import Acknowledge, FetchStatus, StartReceiving
from untether.wire.records import Stamp
from untether.wire.server_frames import Accepted, Deliveries, Done, Refused, Status


async def fill(sender: RelayDevice, receiver: RelayDevice, count: int) -> None:
    """Send some messages."""
    for number in range(count):
        verdict = only(await sender.send(receiver.person, header=b"%d" % number))
        assert isinstance(verdict, Accepted)


def headers(deliveries: Deliveries) -> list[bytes | None]:
    """Return the headers in order."""
    return [entry.header for entry in deliveries.entries]


async def sweep(desk: RelayDesk) -> None:
    """Clear up until a sweep is finished."""
    step = Sweep()
    while not step.is_finished:
        step = await desk.store.transact(expire, desk.now, step)


async def test_delivery_reads_behind_a_stamp(alice: RelayDevice, bob: RelayDevice) -> None:
    """Windows follow each other without gap or repeat, and tell what remains."""
    await fill(alice, bob, 5)
    first = await bob.read(window=2)
    assert (headers(first), first.remaining) == ([b"0", b"1"], 3)
    second = await bob.read(after=first.entries[-1].stamp, window=2)
    assert (headers(second), second.remaining) == ([b"2", b"3"], 1)
    again = await bob.read(window=2)
    assert again == first
    stamps = [entry.stamp for entry in (*first.entries, *second.entries)]
    assert stamps == sorted(set(stamps))


async def test_an_acknowledgement_deletes_a_range(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """Everything up to the stamp goes, the rest stays; again changes nothing."""
    await fill(alice, bob, 4)
    stamp = (await bob.read()).entries[2].stamp
    for _ in range(2):
        assert isinstance(await bob.ask(Acknowledge(stamp)), Done)
        assert headers(await bob.read()) == [b"3"]
    assert await desk.store.transact(count_bodies) == 1
    status = await bob.ask(FetchStatus())
    assert isinstance(status, Status)
    assert status.mailbox_entries == 1


async def test_a_stamp_that_was_never_given_is_refused(bob: RelayDevice) -> None:
    """An acknowledgement can't reach into the future."""
    for stamp in (Stamp(1, 1), Stamp(2, 0)):
        assert await bob.ask(Acknowledge(stamp)) == Refused("bad-stamp")
    assert isinstance(await bob.ask(Acknowledge(Stamp(0, 99))), Done)


async def test_start_receiving_acknowledges_and_starts_delivery(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """What the device committed before the line broke is not pushed again."""
    await fill(alice, bob, 2)
    stamp = (await bob.read()).entries[0].stamp
    assert isinstance(await bob.ask(StartReceiving(stamp)), Done)
    assert desk.effects == [StartDelivery(bob.address)]
    assert headers(await bob.read()) == [b"1"]
    assert isinstance(await bob.ask(StartReceiving()), Done)


async def test_a_relay_put_back_starts_a_new_incarnation(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """Stamps that the device saw are never given to other mail."""
    if not isinstance(desk.store, MemoryRelayStore):
        pytest.skip("the test copies a store while it runs")
    await fill(alice, bob, 1)
    backup = desk.store.copy()
    await fill(alice, bob, 3)
    seen = (await bob.read()).entries[-1].stamp
    desk.store = backup
    assert isinstance(await bob.ask(StartReceiving(seen)), Done)
    await fill(alice, bob, 1)
    deliveries = await bob.read(after=seen)
    assert headers(deliveries) == [b"0", b"0"]
    assert min(entry.stamp for entry in deliveries.entries) > seen
    old = Acknowledge(seen)
    assert isinstance(await bob.ask(old), Done)
    assert len((await bob.read()).entries) == 2


async def test_each_start_of_the_relay_goes_on_under_a_new_incarnation(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """Numbers that were given again before Bob is back are not taken for those that he has."""
    await fill(alice, bob, 3)
    seen = Stamp(1, 2)  # of mail that the relay has forgotten since
    desk.rules = replace(desk.rules, incarnation=2)
    bob.session = desk.session(Device(bob.address))
    assert isinstance(await bob.ask(StartReceiving(seen)), Done)
    deliveries = await bob.read()
    assert headers(deliveries) == [b"0", b"1", b"2"]
    assert min(entry.stamp for entry in deliveries.entries) > seen
    last = deliveries.entries[-1].stamp
    assert isinstance(await bob.ask(StartReceiving(last)), Done)
    assert headers(await bob.read()) == []


async def test_starts_are_numbered_by_their_second_and_never_the_same(desk: RelayDesk) -> None:
    """A copy that was put back starts above what it forgot, a clock that went back above itself."""
    numbers = [
        await desk.store.transact(begin_incarnation, UnixMillis(second * SECOND_MS))
        for second in (100, 100, 90, 200)
    ]
    assert numbers == [100, 101, 102, 200]


async def test_incarnations_are_bounded(bob: RelayDevice) -> None:
    """A device can't drive its mailbox out of what a stamp can say."""
    stamp = Stamp(limits.INCARNATION_MAX, 0)
    assert await bob.ask(StartReceiving(stamp)) == Refused("bad-stamp")


async def test_old_mail_is_dropped_and_the_gap_is_told(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """After thirty days mail is gone with its bodies, and the device hears how much."""
    await fill(alice, bob, 3)
    desk.pass_time(20 * DAY_MS)
    await fill(alice, bob, 1)
    desk.pass_time(10 * DAY_MS + 1)
    await sweep(desk)
    deliveries = await bob.read()
    assert (headers(deliveries), deliveries.dropped) == ([b"0"], 3)
    assert deliveries.gap_at == Stamp(1, 3)
    assert await desk.store.transact(count_bodies) == 1
    assert (await bob.read(after=deliveries.gap_at)).dropped == 0
    assert (await bob.read()).dropped == 3
    await bob.ask(Acknowledge(deliveries.gap_at))
    assert (await bob.read()).dropped == 0


async def test_a_sweep_goes_in_bounded_steps(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One step touches few rows; all steps together leave nothing overdue."""
    laptop = await link(alice)
    await fill(bob, alice, 5)
    await fill(alice, bob, 5)
    assert len((await laptop.read()).entries) == 5
    desk.pass_time(31 * DAY_MS)
    monkeypatch.setattr(housekeeping, "HOUSEKEEPING_STEP_ROWS", 2)
    first = await desk.store.transact(expire, desk.now, Sweep())
    assert not first.is_finished
    left = sum([len((await one.read()).entries) for one in (alice, laptop, bob)])
    assert left == 13
    await sweep(desk)
    for device in (alice, laptop, bob):
        deliveries = await device.read()
        assert (deliveries.entries, deliveries.dropped) == ((), 5)
    assert await desk.store.transact(count_bodies) == 0


async def test_young_mail_stays(desk: RelayDesk, alice: RelayDevice, bob: RelayDevice) -> None:
    """A sweep touches nothing before its time."""
    await fill(alice, bob, 2)
    desk.pass_time(30 * DAY_MS)
    await sweep(desk)
    deliveries = await bob.read()
    assert (len(deliveries.entries), deliveries.dropped) == (2, 0)


async def test_a_submission_is_remembered_longer_than_its_mail(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """A repeat after the mail expired is still a repeat; later its list has long ended."""
    from tests.unit.relay.relay_desk import sealed_for

    frame = alice.submit(sealed_for(bob.person))
    first = only(await alice.ask(frame))
    desk.pass_time(31 * DAY_MS)
    await sweep(desk)
    assert only(await alice.ask(frame)) == first
    desk.pass_time(5 * DAY_MS)
    await sweep(desk)
    assert only(await alice.ask(frame)) != first


async def test_a_push_is_bounded_in_bytes(
    alice: RelayDevice, bob: RelayDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large bodies come in smaller pushes, at least one at a time."""
    await fill(alice, bob, 3)
    size = len(BODY) + 1
    for bytes_max, count in ((1, 1), (2 * size, 2), (3 * size, 3)):
        monkeypatch.setattr(delivery, "DELIVERIES_BYTES_MAX", bytes_max)
        assert len((await bob.read()).entries) == count


async def test_nobody_s_mailbox_is_empty(desk: RelayDesk, bob: RelayDevice) -> None:
    """A device that the relay does not know has no mail."""
    from tests.unit.relay.relay_desk import make_phone

    assert await make_phone(desk, "carol").read() == Deliveries(())
    assert (await bob.read()).remaining == 0
    assert HEADER
