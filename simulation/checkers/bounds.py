"""Nothing grows beyond ``base/limits.py``."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final

from simulation.checkers.views import living
from untether.base import limits
from untether.device.store import repairs
from untether.relay.rows import AccountRow, EntryRow

if TYPE_CHECKING:
    from simulation.device_actor import DeviceActor
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
        "parked mail of an account",
        limits.PARKED_PER_UNKNOWN_ACCOUNT_MAX,
        """
        SELECT max(n) FROM (
          SELECT count(*) AS n FROM parked WHERE state = 'waiting' GROUP BY account_id)""",
    ),
    (
        "bytes of parked mail",
        limits.PARKED_FROM_UNKNOWN_BYTES_MAX + limits.FRAME_MAX,  # what is below it takes one more
        """
        SELECT sum(length(entry)) FROM parked WHERE state = 'waiting'""",
    ),
    (
        "given-up mail",
        limits.GIVEN_UP_KEPT_MAX,
        """
        SELECT count(*) FROM parked WHERE state = 'given-up'""",
    ),
    (
        "repairs with an account",
        limits.REPAIRS_PER_ACCOUNT_MAX,
        """
        SELECT max(n) FROM (
          SELECT count(*) AS n FROM repairs JOIN peers USING (peer) GROUP BY account_id)""",
    ),
    (
        "messages kept for repairs",
        limits.KEPT_SENT_MAX,
        """
        SELECT count(*) FROM sent""",
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
        yield from _of_device(device)
    for partition, rows in world.store.partitions.items():
        if partition[0] == "entries":
            yield from _of_mailbox(rows.values())
        if partition[0] == "account":
            yield from _of_accounts(rows.values())


def _of_device(device: DeviceActor) -> Iterator[str]:
    with device.looking() as database:
        for name, most, sql in OF_DEVICES:
            count = database.rows(sql)[0][0] or 0
            if count > most:
                yield f"{device.name} has {count} {name}, at most {most}"
        if device.own is not None:
            count = repairs.count_of_strangers(database, device.own.account_id)
            if count > limits.REPAIRS_OF_STRANGERS_MAX:
                yield f"{device.name} has {count} repairs with strangers"


def _of_mailbox(rows: Collection[EntryRow]) -> Iterator[str]:
    if len(rows) > limits.MAILBOX_ENTRIES_MAX:
        yield f"a mailbox has {len(rows)} entries"
    size = sum(row.size for row in rows)
    if size > limits.MAILBOX_BYTES_MAX:
        yield f"a mailbox has {size} bytes"


def _of_accounts(rows: Collection[AccountRow]) -> Iterator[str]:
    for row in rows:
        if len(row.present) > 1 + limits.COMPANIONS_MAX:
            yield f"{row.name} has {len(row.present)} devices"
