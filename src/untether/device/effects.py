"""What the engine wants done, after its transaction is committed (spec 06, "Two engines").

The driver performs effects in their order; an acknowledgement is always the last one.
"""

from __future__ import annotations

from dataclasses import dataclass

from untether.base.identifiers import UnixMillis
from untether.device.events import Event
from untether.wire.client_frames import ClientFrame
from untether.wire.records import Stamp


@dataclass(frozen=True, slots=True)
class RelayRequest:
    """Ask the relay; the answer comes back as RelayAnswered with the same frame."""

    frame: ClientFrame


@dataclass(frozen=True, slots=True)
class AcknowledgeMail:
    """Tell the relay that everything up to here is committed."""

    up_to: Stamp


@dataclass(frozen=True, slots=True)
class SignCertificate:
    """Have the account key sign a certificate body, by user verification; then drop the key."""

    body: bytes


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Call the engine again with Tick at this time."""

    time: UnixMillis


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell the people (or programs) that use this device."""

    event: Event


Effect = RelayRequest | AcknowledgeMail | SignCertificate | WakeAt | Notify
