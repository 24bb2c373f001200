"""What goes with a device that is logged out: every table has been thought of (spec 02)."""

from __future__ import annotations

import re

from untether.device.store.own_device import ERASED_WITH_KEYS, ERASED_WITH_MESSAGES
from untether.device.store.upgrade import packaged_upgrades

KEPT = {
    "own_device": "its keys are overwritten, and it says that the device was logged out",
    "own_lists": "they show why it was logged out",
    "own_standing": "counters without a secret",
    "consumed_numbers": "only a phone has any, and no list erases a phone",
    "accounts": "a wipe leaves the own one, by which the order was judged",
    "resignations": "a wipe leaves those of the own account",
}


def test_every_table_is_erased_or_kept_for_a_reason() -> None:
    """A table that an upgrade adds can't be forgotten when a device is erased."""
    made: set[str] = set()
    for upgrade in packaged_upgrades():
        made |= set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", upgrade.sql))
        made -= set(re.findall(r"DROP TABLE (\w+)", upgrade.sql))
    erased = {*ERASED_WITH_KEYS, *ERASED_WITH_MESSAGES}

    assert made
    assert len(erased) == len(ERASED_WITH_KEYS) + len(ERASED_WITH_MESSAGES)
    assert not erased & set(KEPT)
    assert made == erased | set(KEPT)
