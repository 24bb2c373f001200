"""Nothing grows beyond ``base/limits.py``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from simulation.checkers.views import living
from untether.base import limits

if TYPE_CHECKING:
    from simulation.world import World

OF_DEVICES: Final = (
    (
        "skipped keys of a session",
        limits.SKIPPED_KEYS_MAX,
        """
        SELECT max(n) FROM (SELECT count(*) AS n FROM skipped_keys GROUP BY session_id)""",
    ),
    (
        "sessions with a device",
        1 + limits.ARCHIVED_SESSIONS_MAX,
        """
        SELECT max(n) FROM (SELECT count(*) AS n FROM sessions GROUP BY peer)""",
    ),
    (
        "parked mail",
        limits.PARKED_FROM_UNKNOWN_MAX,
        """
        SELECT count(*) FROM parked WHERE state = 'waiting'""",
    ),
    (
        "given-up mail",
        limits.GIVEN_UP_KEPT_MAX + 1,
        """
        SELECT count(*) FROM parked WHERE state = 'given-up'""",
    ),
    (
        "notices of a code",
        limits.NOTICES_PER_CODE_MAX,
        """
        SELECT max(n) FROM (SELECT count(*) AS n FROM notices GROUP BY code)""",
    ),
)
"""What is counted in a device's database: name, most, statement."""


def check(world: World) -> Iterator[str]:
    """Yield every bound that was exceeded."""
    for _, device in living(world):
        with device.looking() as database:
            for name, most, sql in OF_DEVICES:
                count = database.rows(sql)[0][0] or 0
                if count > most:
                    yield f"{device.name} has {count} {name}, at most {most}"
    for partition, rows in world.store.partitions.items():
        if partition[0] == "entries" and len(rows) > limits.MAILBOX_ENTRIES_MAX:
            yield f"a mailbox has {len(rows)} entries"
    for person in world.people.persons:
        listed = sum(one.is_active for one in person.devices)
        if listed > 1 + limits.COMPANIONS_MAX:
            yield f"{person.name} has {listed} devices"
