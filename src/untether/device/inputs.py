"""Everything that can happen to a device (spec 06, "Inputs"); engine.py maps each to a function."""

from __future__ import annotations

from dataclasses import dataclass

from untether.base.identifiers import AccountId
from untether.wire.client_frames import ClientFrame
from untether.wire.server_frames import Challenge, ServerFrame


@dataclass(frozen=True, slots=True)
class Challenged:
    """A socket is open and the relay has sent its challenge."""

    challenge: Challenge
    origin: str


@dataclass(frozen=True, slots=True)
class RelayAnswered:
    """The relay answered a request."""

    request: ClientFrame
    answer: ServerFrame


@dataclass(frozen=True, slots=True)
class RelayPushed:
    """The relay sent something unasked: mail or news."""

    frame: ServerFrame


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: do what is due."""


@dataclass(frozen=True, slots=True)
class CertificateSigned:
    """User verification succeeded: the account key has signed this certificate body."""

    body: bytes
    account_signature: bytes


@dataclass(frozen=True, slots=True)
class BeginRegistration:
    """Make a new account whose phone this device is."""

    name: str
    account_key: bytes
    sealed_account_seed: bytes
    origin: str
    device_name: str
    invitation: str | None


@dataclass(frozen=True, slots=True)
class SendText:
    """Send a text message to one account; the own account means a note to self."""

    to: AccountId
    text: str


@dataclass(frozen=True, slots=True)
class StartMail:
    """Become the one receiver of this device's mail."""


@dataclass(frozen=True, slots=True)
class AcceptContact:
    """Point a name to the account that the relay gives for it now."""

    name: str


@dataclass(frozen=True, slots=True)
class MarkVerified:
    """The security codes were compared with this contact."""

    name: str


Input = (
    Challenged
    | RelayAnswered
    | RelayPushed
    | Tick
    | CertificateSigned
    | BeginRegistration
    | SendText
    | StartMail
    | AcceptContact
    | MarkVerified
)
