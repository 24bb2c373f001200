"""At rest the relay holds no mail of devices in use, and no body that nobody waits for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulation.checkers.views import living

if TYPE_CHECKING:
    from simulation.world import World


def check(world: World) -> Iterator[str]:
    """Yield mail that was left, and bodies without a reference."""
    alive = {
        (person.account, own.device)
        for person, device in living(world)
        if (own := device.own) is not None
    }
    referenced: set[int] = set()
    for partition, rows in world.store.partitions.items():
        if partition[0] != "entries":
            continue
        if (partition[1], partition[2]) in alive and rows:
            yield f"{len(rows)} entries wait for device {partition[2]}"
        referenced |= {row.body_id for row in rows.values() if row.body_id is not None}
    bodies = {partition[1] for partition in world.store.partitions if partition[0] == "body"}
    if bodies - referenced:
        yield f"{len(bodies - referenced)} bodies without a reference"
