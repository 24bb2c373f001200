"""What must hold at rest, one file for each promise; each yields what it found wrong."""

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
"""Promise → who checks it."""


def complaints(world: World) -> list[str]:
    """Return everything that is wrong in a world at rest."""
    return [f"{promise}: {found}" for promise, check in CHECKERS.items() for found in check(world)]
