"""What the engine wants done, after its transaction is committed (spec 06, "Two engines").

The driver performs effects in their order; an acknowledgement is always the last one.
"""

from __future__ import annotations

from msgspec import Struct

from untether.base.identifiers import UnixMillis
from untether.device.events import Event
from untether.wire.client_frames import ClientFrame
from untether.wire.records import Stamp


class RelayRequest(Struct, frozen=True):
    """Ask the relay; the answer comes back as RelayAnswered with the same frame."""

    frame: ClientFrame


class AcknowledgeMail(Struct, frozen=True):
    """Tell the relay that everything up to here is committed."""

    up_to: Stamp


class SignCertificate(Struct, frozen=True):
    """Have the account key sign a certificate body, by user verification; then drop the key."""

    body: bytes


class WakeAt(Struct, frozen=True):
    """Call the engine again with Tick at this time."""

    time: UnixMillis


class Notify(Struct, frozen=True):
    """Tell the people (or programs) that use this device."""

    event: Event


Effect = RelayRequest | AcknowledgeMail | SignCertificate | WakeAt | Notify
