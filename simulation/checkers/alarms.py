"""Nobody is accused falsely: a warning of a fork or a false relay has a cause.

The relay of these worlds is honest, so each of them speaks of a database that was put back, the
accused one's or the accuser's own. A warning that comes without cause teaches people to ignore it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from simulation.checkers.views import living

if TYPE_CHECKING:
    from simulation.world import World

ACCUSING: Final = (
    "identity-changed",
    "lists-forked",
    "possible-copy",
    "prekeys-refused",
    "relay-lists-refused",
)


def check(world: World) -> Iterator[str]:
    """Yield warnings between accounts of which no device was put back."""
    put_back = {
        person.account
        for person in world.people.persons
        if any(device.restored_to for device in person.devices)
    }
    for person, device in living(world):
        if person.account in put_back:
            continue
        with device.looking() as database:
            told = database.rows("SELECT code, account_id, details, posted_at FROM notices")
        for code, accused, details, posted_at in told:
            if code in ACCUSING and accused not in put_back:
                yield f"{device.name} was told {code} {details} at {posted_at}"
