"""What must hold, one file for each promise; each yields what it found wrong.

Most of it can be said of a world at rest only. There mailboxes are empty, so what must hold of
full ones is looked at on the way too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from simulation.checkers import (
    admission,
    agreement,
    alarms,
    bounds,
    delivery,
    emptiness,
    endings,
    forward_secrecy,
    order,
    secrecy,
    single_use,
)

if TYPE_CHECKING:
    from simulation.world import World

Checker = Callable[["World"], Iterator[str]]

CHECKERS: dict[str, Checker] = {
    "delivery": delivery.check,
    "order": order.check,
    "secrecy": secrecy.check,
    "forward secrecy": forward_secrecy.check,
    "admission": admission.check,
    "emptiness": emptiness.check,
    "agreement": agreement.check,
    "single use": single_use.check,
    "bounds": bounds.check,
    "endings": endings.check,
    "alarms": alarms.check,
}
"""Promise → who checks it at rest."""

ON_THE_WAY: dict[str, Checker] = {
    "secrecy": secrecy.check_relay,
    "single use": single_use.check,
    "bounds": bounds.check,
}
"""Promise → who checks it at any moment."""


def complaints(world: World, checkers: dict[str, Checker] = CHECKERS) -> list[str]:
    """Return everything that is wrong in a world."""
    return [f"{promise}: {found}" for promise, check in checkers.items() for found in check(world)]
