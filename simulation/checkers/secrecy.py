"""The relay never sees a text; a device that was logged out reads nothing and is served no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from simulation.checkers.views import history, lists_at_relay
from simulation.watch import PLANTED
from untether.base.identifiers import DeviceAddress, DeviceNumber
from untether.protocol.identity.device_list import open_list
from untether.wire.records import SignedObject

if TYPE_CHECKING:
    from simulation.people import Person
    from simulation.world import World


def check(world: World) -> Iterator[str]:
    """Yield plaintext in frames or rows, and what a removed device could still read."""
    yield from check_relay(world)
    for person in world.people.persons:
        yield from _read_after_log_out(world, person)
        yield from _served_after_log_out(world, person)


def check_relay(world: World) -> Iterator[str]:
    """Yield plaintext in frames so far, or in the relay's rows of this moment."""
    if world.watch.plaintext_frames:
        yield f"{world.watch.plaintext_frames} of {world.watch.frames} frames hold plaintext"
    for partition, rows in world.store.partitions.items():
        if any(_holds(PLANTED, value) for value in rows.values()):
            yield f"rows of {partition[0]} hold plaintext"


def _holds(needle: bytes, value: Any) -> bool:
    if isinstance(value, bytes):
        return needle in value
    if isinstance(value, str):
        return needle.decode() in value
    if isinstance(value, tuple):
        return any(_holds(needle, one) for one in value)
    return False


def _read_after_log_out(world: World, person: Person) -> Iterator[str]:
    removed = removal_times(world, person)
    for device in person.devices:
        own = device.own
        if own is None or own.device not in removed:
            continue
        at = removed[own.device]
        for message in history(device):
            for delivery in world.watch.deliveries.get((message.message_id, person.account), ()):
                if message.accepted_at == delivery.accepted_at and delivery.taken_at > at:
                    yield f"{device.name} shows what was taken {delivery.taken_at - at} ms after"


def _served_after_log_out(world: World, person: Person) -> Iterator[str]:
    for number, at in removal_times(world, person).items():
        served = world.watch.last_served.get(DeviceAddress(person.account, DeviceNumber(number)), 0)
        if served > at:
            yield f"{person.name}'s device {number} was served {served - at} ms after its log-out"


def removal_times(world: World, person: Person) -> dict[int, int]:
    """Return when the relay took the list that no longer has a device (true time)."""
    times: dict[int, int] = {}
    before: set[int] = set()
    for row in lists_at_relay(world, person):
        signed = SignedObject(body=row.body, signature=row.signature)
        devices = {int(one.device) for one in open_list(signed, person.account_key).devices}
        for number in before - devices:
            times.setdefault(number, world.watch.list_times.get(row.hash, 2**62))
        before = devices
    return times
