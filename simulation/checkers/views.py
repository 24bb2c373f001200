"""What checkers look at: the devices still in use, and what each of them shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from untether.device.store import messages
from untether.device.store.messages import Message

if TYPE_CHECKING:
    from simulation.device_actor import DeviceActor
    from simulation.people import Person
    from simulation.world import World

EVERYTHING = 1_000_000


def living(world: World) -> Iterator[tuple[Person, DeviceActor]]:
    """Yield every listed device that somebody still uses, with its person."""
    for person in world.people.persons:
        for device in person.devices:
            if device.is_active:
                yield person, device


def history(device: DeviceActor) -> list[Message]:
    """Return all that a device shows, in the order in which it shows it."""
    with device.looking() as database:
        return messages.history(database, None, EVERYTHING)
