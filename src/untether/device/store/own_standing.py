"""The row of where this device stands with its account (spec 02, "Recovery", "Lease").

Most devices never need it: without a row everything is as in a new profile.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

from msgspec import Struct

from untether.base.identifiers import DeviceNumber
from untether.base.limits import COMPANIONS_MAX
from untether.device.store.database import Database, Row, row
from untether.wire import codec

_KEPT_MAX = 8 * (COMPANIONS_MAX + 1)  # our own row: a number for each companion


class SigningStopped(Enum):
    """Why a phone signs no lists until it has a generation of its own."""

    NOT = ""
    RESTORED = "restored-from-copy"
    """Its database was put back: it may have signed lists that it does not remember."""
    DISPLACED = "phone-displaced"
    """It saw the proof of a list that it did not sign."""


class Renewal(Enum):
    """Whether all prekeys at the relay are to be replaced."""

    NOT_DUE = 0
    DUE = 1
    """New ones are made once the mailbox is drained: until then mail may need the old ones."""
    MADE = 2
    """They wait for the relay's confirmation; it is sent the same ones, in whatever order."""


class OwnStanding(Struct, frozen=True):
    """``kept`` are the companions that a person confirmed in a recovery not yet signed.

    ``renewal`` is that of the prekeys. ``welcomed_counter`` is the counter of the last login that
    the relay welcomed. ``lease_warned`` is the hash of the list whose end was warned of.
    """

    signing_stopped: SigningStopped = SigningStopped.NOT
    renewal: Renewal = Renewal.NOT_DUE
    welcomed_counter: int = 0
    lease_warned: bytes = b""
    kept: tuple[DeviceNumber, ...] | None = None


def load(database: Database) -> OwnStanding:
    """Return where this device stands."""
    found = row(
        database,
        "SELECT signing_stopped, renewal_due, welcomed_counter, lease_warned, kept "
        "FROM own_standing",
    )
    return OwnStanding() if found is None else _standing(found)


@lru_cache(maxsize=16)
def _standing(found: Row) -> OwnStanding:
    stopped, renewal, welcomed_counter, lease_warned, kept = found
    return OwnStanding(
        signing_stopped=SigningStopped(stopped),
        renewal=Renewal(renewal),
        welcomed_counter=welcomed_counter,
        lease_warned=lease_warned,
        kept=codec.decode(kept, tuple[DeviceNumber, ...], size_max=_KEPT_MAX) if kept else None,
    )


def save(database: Database, standing: OwnStanding) -> None:
    """Write the whole row."""
    database.run(
        "INSERT OR REPLACE INTO own_standing VALUES (1, ?, ?, ?, ?, ?)",
        standing.signing_stopped.value,
        standing.renewal.value,
        standing.welcomed_counter,
        standing.lease_warned,
        b"" if standing.kept is None else codec.encode(standing.kept),
    )
