"""What goes wrong in one seed, and how often (swarm testing).

Each kind of fault is wholly off in some seeds: a fault that is always on hides what only
happens without it. Groce et al., "Swarm Testing", ISSTA 2012.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from random import Random

from untether.base.identifiers import MINUTE_MS, SECOND_MS

POINTS: dict[str, tuple[str, ...]] = {
    "late": ("late",),
    "repeat": ("repeat",),
    "stall": ("stall",),
    "reset": ("reset",),
    "partition": ("partition",),
    "device_crash": ("crash-before", "crash-inside", "crash-after", "crash-effects"),
    "relay_crash": ("relay-crash-idle", "relay-crash-inside", "relay-crash-after"),
    "disk": ("disk-full",),
    "wake_lost": ("wake-lost",),
    "offline": ("offline",),
    "weeks": ("weeks",),
    "skew": ("skew",),
    "restore": ("put-back",),
    "link": ("link",),
    "log_out": ("log-out",),
    "resign": ("resign",),
    "recover": ("recover",),
    "refuse": ("refuse",),
    "cancel": ("cancel",),
}
"""Every kind that :meth:`Faults.without` can switch off → what it is in a trace when at work."""

KINDS = tuple(POINTS)

COUNTS = ("accounts", "companions", "nodes", "prekeys")
"""Fields that are whole numbers."""


@dataclass(frozen=True)
class Faults:
    """Probabilities (0 to 1), times in ms, counts. Zero means that it never happens."""

    accounts: int = 2
    companions: int = 1
    nodes: int = 1
    prekeys: int = 2
    pause: float = 20 * SECOND_MS
    delay: float = 40.0
    late: float = 0.0
    repeat: float = 0.0
    stall: float = 0.0
    reset: float = 0.0
    partition: float = 0.0
    device_crash: float = 0.0
    relay_crash: float = 0.0
    disk: float = 0.0
    wake_lost: float = 0.0
    offline: float = 0.0
    weeks: float = 0.0
    skew: float = 0.0
    restore: float = 0.0
    link: float = 0.0
    log_out: float = 0.0
    resign: float = 0.0
    recover: float = 0.0
    refuse: float = 0.0
    cancel: float = 0.0

    def without(self, kind: str) -> Faults:
        """Return the same with one kind switched off."""
        return Faults(**{**asdict(self), kind: 0.0})

    def changed(self, changes: Iterable[str]) -> Faults:
        """Return the same with changes like ``late=0`` or ``nodes=1``."""
        named = dict(change.split("=") for change in changes)
        values = {name: (int if name in COUNTS else float)(said) for name, said in named.items()}
        return Faults(**{**asdict(self), **values})

    def changes_from(self, drawn: Faults) -> list[str]:
        """Return what has to be changed in ``drawn`` to get this."""
        before = asdict(drawn)
        return [f"{name}={now}" for name, now in asdict(self).items() if now != before[name]]

    def active(self) -> list[str]:
        """Return the kinds that are switched on, in a fixed order."""
        return [kind for kind in KINDS if getattr(self, kind)]


def draw(random: Random) -> Faults:
    """Draw the faults of one seed."""

    def some(most: float) -> float:
        return 0.0 if random.random() < 0.4 else random.random() * most

    drawn = Faults(
        accounts=random.choice((2, 2, 2, 3)),
        companions=random.choice((0, 1, 1, 2, 2, 4)),
        nodes=random.choice((1, 1, 2)),
        prekeys=random.choice((0, 1, 2, 3, 8)),
        pause=random.choice((2 * SECOND_MS, 20 * SECOND_MS, 5 * MINUTE_MS)),
        delay=random.choice((5.0, 40.0, 400.0, 3000.0)),
        late=some(0.2),
        repeat=some(0.1),
        stall=some(0.01),
        reset=some(0.02),
        partition=some(0.05),
        device_crash=some(0.02),
        relay_crash=some(0.01),
        disk=some(0.01),
        wake_lost=some(0.3),
        offline=some(0.15),
        weeks=some(0.03),
        skew=some(1.0),
        restore=some(0.02),
        link=some(0.04),
        log_out=some(0.03),
        resign=some(0.02),
        recover=some(0.015),
        refuse=some(0.3),
        cancel=some(0.2),
    )
    assert set(KINDS) <= {field.name for field in fields(drawn)}
    return drawn


QUIET = Faults()
"""Nothing goes wrong; people only write."""
