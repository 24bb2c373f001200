"""Everything that can happen to a device (spec 06, "Inputs"); engine.py maps each to a function."""

from __future__ import annotations

from dataclasses import dataclass

from untether.base.identifiers import AccountId, DeviceNumber, RelayId
from untether.wire.client_frames import ClientFrame
from untether.wire.link_offer import CompanionKind
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
    """Make a new account whose phone this device is; the relay is pinned by its id."""

    name: str
    account_key: bytes
    sealed_account_seed: bytes
    origin: str
    relay_id: RelayId
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


@dataclass(frozen=True, slots=True)
class VerificationRefused:
    """User verification failed or was refused: the account key will not sign."""


@dataclass(frozen=True, slots=True)
class OfferLink:
    """Open a slot for this unused profile; a later offer renews the code with the same keys.

    ``relay_id`` is the one of the relay's challenge, ``lifetime_ms`` the life of the code.
    """

    origin: str
    relay_id: RelayId
    device_name: str
    device_kind: CompanionKind
    lifetime_ms: int


@dataclass(frozen=True, slots=True)
class ConfirmAccount:
    """On the new device: “yes, mine”, or no."""

    accept: bool


@dataclass(frozen=True, slots=True)
class ApproveLink:
    """On the phone: read what a new device shows, and ask the relay for its offer."""

    link_text: str


@dataclass(frozen=True, slots=True)
class ConfirmLink:
    """On the phone: link the device that was shown, or don't."""

    accept: bool


@dataclass(frozen=True, slots=True)
class CancelLink:
    """Give up linking, on either side."""


@dataclass(frozen=True, slots=True)
class LogOutDevice:
    """On the phone: log a companion out; with ``wipe`` it erases its messages too."""

    device: DeviceNumber
    wipe: bool


@dataclass(frozen=True, slots=True)
class Resign:
    """On a companion: log this device out for ever."""


@dataclass(frozen=True, slots=True)
class BeginRecovery:
    """In an unused profile: become the new phone of an account whose key was opened."""

    name: str
    account_key: bytes
    sealed_account_seed: bytes
    origin: str
    relay_id: RelayId
    device_name: str


@dataclass(frozen=True, slots=True)
class ConfirmRecovery:
    """Go on with a recovery; of the companions found only these stay."""

    keep: tuple[DeviceNumber, ...]


@dataclass(frozen=True, slots=True)
class RecoverSamePhone:
    """This phone was displaced or put back from a copy: let it act for its account again."""


@dataclass(frozen=True, slots=True)
class SetLease:
    """On the phone: how long companions go on without it."""

    lease_ms: int


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
    | BeginRecovery
    | ConfirmRecovery
    | RecoverSamePhone
    | SetLease
    | VerificationRefused
    | OfferLink
    | ConfirmAccount
    | ApproveLink
    | ConfirmLink
    | CancelLink
    | LogOutDevice
    | Resign
)
