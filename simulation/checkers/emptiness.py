"""At rest the relay holds no mail of devices in use, and no body that nobody waits for.

Of devices that are gone it holds nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from simulation.checkers.views import living

if TYPE_CHECKING:
    from simulation.world import World

OF_A_DEVICE: Final = ("entries", "rotating prekey", "one-time prekeys")
"""What the relay keeps for each present device."""


def check(world: World) -> Iterator[str]:
    """Yield mail that was left, bodies without a reference, and what gone devices left."""
    alive = {
        (person.account, own.device)
        for person, device in living(world)
        if (own := device.own) is not None
    }
    present = {
        (row.account_id, number)
        for partition, rows in world.store.partitions.items()
        if partition[0] == "account"
        for row in rows.values()
        for number in row.present
    }
    referenced: set[int] = set()
    for partition, rows in world.store.partitions.items():
        if partition[0] in OF_A_DEVICE and rows and partition[1:] not in present:
            yield f"{len(rows)} {partition[0]} of device {partition[2]}, which is gone"
        if partition[0] != "entries":
            continue
        if (partition[1], partition[2]) in alive and rows:
            yield f"{len(rows)} entries wait for device {partition[2]}"
        referenced |= {row.body_id for row in rows.values() if row.body_id is not None}
    bodies = {partition[1] for partition in world.store.partitions if partition[0] == "body"}
    if bodies - referenced:
        yield f"{len(bodies - referenced)} bodies without a reference"
