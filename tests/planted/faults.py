"""All planted faults, by name."""

from __future__ import annotations

from tests.planted import (
    device_faults,
    healing_faults,
    identity_faults,
    relay_faults,
    session_faults,
)
from tests.planted.fault import Fault

ALL = (
    *relay_faults.FAULTS,
    *identity_faults.FAULTS,
    *session_faults.FAULTS,
    *device_faults.FAULTS,
    *healing_faults.FAULTS,
)

BY_NAME: dict[str, Fault] = {fault.name: fault for fault in ALL}
"""Name → fault."""
