"""What checkers look at: the devices in use, what each of them shows, what the relay holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from untether.base.identifiers import SECOND_MS
from untether.device.store import messages
from untether.device.store.messages import Message
from untether.relay.rows import ListRow

if TYPE_CHECKING:
    from simulation.device_actor import DeviceActor
    from simulation.people import Person
    from simulation.world import World

EVERYTHING = 1_000_000

RELAY_CLOCKS_MS: Final = 5 * SECOND_MS
"""Two nodes differ by less."""


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


def lists_at_relay(world: World, person: Person) -> list[ListRow]:
    """Return all lists of an account that the relay ever took, in order."""
    rows: list[ListRow] = [
        row
        for partition, found in world.store.partitions.items()
        if partition[0] == "lists" and partition[1] == person.account
        for row in found.values()
    ]
    return sorted(rows, key=lambda row: (row.generation, row.version))
