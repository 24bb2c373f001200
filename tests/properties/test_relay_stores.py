"""Properties of the relay: its stores agree, and no interleaving breaks a rule (spec 08)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.relay.relay_desk import (
    HEADER,
    RelayDesk,
    RelayDevice,
    link,
    log_out,
    register,
    sealed_for,
)
from tests.unit.relay.relay_rows import count_bodies

from untether.adapters.storage.relay_memory import MemoryRelayStore
from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.base.identifiers import DAY_MS, DeviceNumber
from untether.relay.housekeeping import Sweep, expire
from untether.relay.transaction import RelayStore
from untether.wire.client_frames import (
    Acknowledge,
    ClaimPrekeys,
    Copy,
    DepositPrekeys,
    FetchStatus,
    Recipient,
    StartReceiving,
    Submit,
)
from untether.wire.records import Stamp
from untether.wire.server_frames import ServerFrame

Step = tuple[str, int, int]

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["send", "repeat", "direct", "acknowledge", "receive", "claim", "deposit", "expire"]
        ),
        st.integers(0, 2),
        st.integers(0, 5),
    ),
    max_size=15,
)


class Walk:
    """Three devices of two people, and what they do."""

    def __init__(self, desk: RelayDesk, devices: list[RelayDevice]) -> None:
        self.desk = desk
        self.devices = devices
        self.sent: list[tuple[RelayDevice, Submit]] = []

    @classmethod
    async def begin(cls, store: RelayStore) -> Walk:
        """Register Alice with a laptop, and Bob."""
        desk = RelayDesk(store)
        alice, bob = await register(desk, "alice"), await register(desk, "bob")
        return cls(desk, [alice, await link(alice), bob])

    async def take(self, step: Step) -> object:
        """Do one step; returns everything that can be seen of it."""
        verb, who, number = step
        device, other = self.devices[who], self.devices[number % 3]
        answer: object = None
        match verb:
            case "send":
                frame = device.submit(
                    sealed_for(self.devices[2].person, device),
                    sealed_for(self.devices[0].person, device),
                )
                self.sent.append((device, frame))
                answer = await device.ask(frame)
            case "repeat" if self.sent:
                sender, frame = self.sent[number % len(self.sent)]
                answer = await sender.ask(frame)
            case "direct":
                answer = await device.ask(device.submit_direct(other))
            case "acknowledge":
                answer = await device.ask(Acknowledge(Stamp(1, number)))
            case "receive":
                answer = await device.ask(StartReceiving(Stamp(number % 3, 2 * number)))
            case "claim":
                numbers = (DeviceNumber(0), DeviceNumber(1))
                answer = await device.ask(ClaimPrekeys(other.account_id, numbers))
            case "deposit":
                frame_ = DepositPrekeys(device.stock(number % 2), replace=number > 3)
                answer = await device.ask(frame_)
            case "expire":
                self.desk.pass_time(number * 4 * DAY_MS)
                answer = await self.desk.store.transact(expire, self.desk.now, Sweep())
        seen = [await one.read(window=3) for one in self.devices]
        status = [await one.ask(FetchStatus()) for one in self.devices]
        bodies = await self.desk.store.transact(count_bodies)
        return answer, list(self.desk.effects), seen, status, bodies


async def trace(store: RelayStore, steps: list[Step]) -> list[object]:
    """Take all steps; returns what was seen."""
    walk = await Walk.begin(store)
    return [await walk.take(step) for step in steps]


@settings(max_examples=8, deadline=None)
@given(STEPS)
def test_both_stores_tell_the_same_story(steps: list[Step]) -> None:
    """Every answer, push, effect and count is equal on memory and on SQLite."""

    async def compare() -> None:
        with tempfile.TemporaryDirectory() as folder:
            sqlite = SqliteRelayStore.open(Path(folder) / "relay.sqlite3")
            assert await trace(sqlite, steps) == await trace(MemoryRelayStore(), steps)
            await sqlite.close()

    asyncio.run(compare())


def run_interleaved(
    tasks: list[Coroutine[Any, Any, object]], choose: Callable[[int], int]
) -> list[object]:
    """Step coroutines by hand, each time the one that ``choose`` names; returns their results."""
    results: list[object] = [None] * len(tasks)
    running = list(range(len(tasks)))
    while running:
        place = running[choose(len(running))]
        try:
            tasks[place].send(None)
        except StopIteration as end:
            results[place] = end.value
            running.remove(place)
    return results


def finish(work: Awaitable[Any]) -> Any:
    """Run one piece of work to its end."""

    async def task() -> Any:
        return await work

    return run_interleaved([task()], lambda _: 0)[0]


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_no_interleaving_delivers_to_a_logged_out_device(data: st.DataObject) -> None:
    """Mail of a gone device is gone, no body is left behind, what was accepted is there."""
    walk: Walk = finish(Walk.begin(MemoryRelayStore()))
    alice, laptop, bob = walk.devices
    old_list = sealed_for(alice.person)
    frames = [bob.submit(old_list) for _ in range(2)]
    tasks: list[Coroutine[Any, Any, ServerFrame]] = [bob.ask(frame) for frame in frames]
    tasks += [log_out(alice, laptop), alice.ask(FetchStatus()), bob.ask(frames[0])]
    answers = run_interleaved(list(tasks), lambda count: data.draw(st.integers(0, count - 1)))
    accepted = {
        frame.message_id
        for frame, answer in zip(frames, answers[:2], strict=True)
        if isinstance(answer, msgspec.Struct) and "Accepted" in repr(answer)
    }
    in_mailbox = [entry.message_id for entry in finish(alice.read()).entries]
    assert sorted(in_mailbox) == sorted(accepted)
    assert finish(laptop.read()).entries == ()
    assert finish(walk.desk.store.transact(count_bodies)) == len(accepted)
    head = alice.person.newest.head
    late = Recipient(alice.account_id, head, (Copy(alice.address.device, HEADER),))
    assert "Accepted" in repr(finish(bob.ask(bob.submit(late))))


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_no_interleaving_hands_a_pair_out_twice(data: st.DataObject) -> None:
    """Claims and repeated uploads in any order: each one-time pair goes out once."""
    walk: Walk = finish(Walk.begin(MemoryRelayStore()))
    alice, laptop, bob = walk.devices
    upload = DepositPrekeys(bob.stock(one_time=2))
    claim = ClaimPrekeys(bob.account_id, (DeviceNumber(0),))
    tasks = [
        device.ask(frame)
        for device, frame in (
            (alice, claim),
            (bob, upload),
            (laptop, claim),
            (bob, upload),
            (alice, claim),
        )
    ]
    answers = run_interleaved(list(tasks), lambda count: data.draw(st.integers(0, count - 1)))
    bundles = [answer.bundles[0] for answer in answers if hasattr(answer, "bundles")]
    handed_out = [bundle.one_time.body for bundle in bundles if bundle.one_time]
    assert 2 <= len(handed_out) == len(set(handed_out)) <= 3
