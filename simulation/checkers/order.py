"""All devices of one account show what they share in one order (spec 06, "History").

It is the order in which the relay accepted the copies for that account. What it accepted twice,
because it had forgotten the first time (see ``delivery``), a device that got the second copy only
shows at that time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulation.checkers.views import history, living

if TYPE_CHECKING:
    from simulation.device_actor import DeviceActor
    from simulation.people import Person
    from simulation.world import World


def check(world: World) -> Iterator[str]:
    """Yield messages with another time than the relay's, and own devices that order differently."""
    shown: dict[str, list[tuple[str, list[tuple[bytes, bytes]]]]] = {}
    for person, device in living(world):
        if device.restored_to:
            continue
        yield from _misdated(world, person, device)
        told = [
            (bytes(one.other), bytes(one.message_id))
            for one in history(device)
            if len(world.watch.deliveries.get((one.message_id, person.account), ())) <= 1
        ]
        shown.setdefault(person.name, []).append((device.name, told))
    for devices in shown.values():
        first_name, first = devices[0]
        for name, told in devices[1:]:
            for other in sorted({one for one, _ in first}):
                yield from _differ(other, first_name, first, name, told)


def _misdated(world: World, person: Person, device: DeviceActor) -> Iterator[str]:
    used = {own.device for one in person.in_use if (own := one.own) is not None}
    for message in history(device):
        deliveries = world.watch.deliveries.get((message.message_id, person.account), [])
        if not any(delivery.devices & used for delivery in deliveries):
            continue  # nobody else shows it; a device that is alone now was told a time of its own
        times = [delivery.accepted_at for delivery in deliveries]
        if message.accepted_at not in times:
            yield (
                f"{device.name} shows {message.text} at {message.accepted_at}, accepted at {times}"
            )


def _differ(
    other: bytes,
    first_name: str,
    first: list[tuple[bytes, bytes]],
    name: str,
    told: list[tuple[bytes, bytes]],
) -> Iterator[str]:
    common = {one for one in first if one[0] == other} & set(told)
    left = [one for one in first if one in common]
    right = [one for one in told if one in common]
    if left != right:
        where = next(i for i, (a, b) in enumerate(zip(left, right, strict=True)) if a != b)
        yield f"{first_name} and {name} differ at shared message {where} of {len(left)}"
