"""The relay never sees a text, and a device reads nothing that was accepted after its log-out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from simulation.checkers.views import history
from simulation.watch import PLANTED
from untether.protocol.identity.device_list import open_list
from untether.wire.records import SignedObject

if TYPE_CHECKING:
    from simulation.people import Person
    from simulation.world import World


def check(world: World) -> Iterator[str]:
    """Yield plaintext in frames or rows, and what a removed device could still read."""
    if world.watch.plaintext_frames:
        yield f"{world.watch.plaintext_frames} of {world.watch.frames} frames hold plaintext"
    for partition, rows in world.store.partitions.items():
        if any(_holds(PLANTED, value) for value in rows.values()):
            yield f"rows of {partition[0]} hold plaintext"
    for person in world.people.persons:
        yield from _read_after_log_out(world, person)


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
            if message.accepted_at is not None and message.accepted_at > at:
                yield f"{device.name} shows what was accepted {message.accepted_at - at} ms after"


def removal_times(world: World, person: Person) -> dict[int, int]:
    """Return when the relay took the list that no longer has a device, by its clock."""
    times: dict[int, int] = {}
    before: set[int] = set()
    account_key: bytes | None = None
    for row in _lists(world, person):
        signed = SignedObject(body=row.body, signature=row.signature)
        account_key = account_key or _account_key(person)
        devices = {int(one.device) for one in open_list(signed, account_key).devices}
        for number in before - devices:
            times.setdefault(number, world.watch.list_times.get(row.hash, 2**62))
        before = devices
    return times


def _lists(world: World, person: Person) -> list[Any]:
    rows = [
        row
        for partition, found in world.store.partitions.items()
        if partition[0] == "lists" and partition[1] == person.account
        for row in found.values()
    ]
    return sorted(rows, key=lambda row: (row.generation, row.version))


def _account_key(person: Person) -> bytes:
    return person.account_key
