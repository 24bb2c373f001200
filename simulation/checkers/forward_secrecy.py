"""A one-time prekey whose message was opened is gone: nobody opens that message again.

Who steals the device later finds no key for it, unless a copy of the database was put back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulation.checkers.views import living
from untether.protocol.pairwise.prekeys import PrekeyType

if TYPE_CHECKING:
    from simulation.world import World


def check(world: World) -> Iterator[str]:
    """Yield private halves that were used and are still there."""
    for person, device in living(world):
        own = device.own
        if own is None or device.restored_to:
            continue
        with device.looking() as database:
            rows = database.rows("SELECT id FROM prekeys WHERE type = ?", PrekeyType.ONE_TIME.value)
            opened = {found for (found,) in database.rows("SELECT message_id FROM seen")}
        held = {found for (found,) in rows}
        used = {
            delivery.one_time[own.device]
            for message_id, account, delivery in world.watch.accepted()
            if account == person.account
            and message_id in opened
            and own.device in delivery.one_time
        }
        if held & used:
            yield f"{device.name} keeps {len(held & used)} one-time prekeys that were used"
