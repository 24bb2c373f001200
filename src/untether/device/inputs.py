"""Everything that can happen to a device (spec 06, "Inputs"); engine.py maps each to a function."""

from __future__ import annotations

from msgspec import Struct

from untether.base.identifiers import AccountId, DeviceNumber, RelayId
from untether.wire.client_frames import ClientFrame
from untether.wire.link_offer import CompanionKind
from untether.wire.server_frames import Challenge, ServerFrame


class Challenged(Struct, frozen=True):
    """A socket is open and the relay has sent its challenge."""

    challenge: Challenge
    origin: str


class RelayAnswered(Struct, frozen=True):
    """The relay answered a request."""

    request: ClientFrame
    answer: ServerFrame


class RelayPushed(Struct, frozen=True):
    """The relay sent something unasked: mail or news."""

    frame: ServerFrame


class Tick(Struct, frozen=True):
    """Time has passed: do what is due."""


class CertificateSigned(Struct, frozen=True):
    """User verification succeeded: the account key has signed this certificate body."""

    body: bytes
    account_signature: bytes


class BeginRegistration(Struct, frozen=True):
    """Make a new account whose phone this device is; the relay is pinned by its id."""

    name: str
    account_key: bytes
    sealed_account_seed: bytes
    origin: str
    relay_id: RelayId
    device_name: str
    invitation: str | None
    device_platform: str = ""


class SendText(Struct, frozen=True):
    """Send a text message to one account; the own account means a note to self."""

    to: AccountId
    text: str


class StartMail(Struct, frozen=True):
    """Become the one receiver of this device's mail."""


class AcceptContact(Struct, frozen=True):
    """Point a name to the account that the relay gives for it now."""

    name: str


class MarkVerified(Struct, frozen=True):
    """The security codes were compared with this contact."""

    name: str


class VerificationRefused(Struct, frozen=True):
    """User verification failed or was refused: the account key will not sign."""


class OfferLink(Struct, frozen=True):
    """Open a slot for this unused profile; a later offer renews the code with the same keys.

    ``relay_id`` is the one of the relay's challenge, ``lifetime_ms`` the life of the code.
    """

    origin: str
    relay_id: RelayId
    device_name: str
    device_kind: CompanionKind
    lifetime_ms: int
    device_platform: str = ""


class ConfirmAccount(Struct, frozen=True):
    """On the new device: “yes, mine”, or no."""

    accept: bool


class ApproveLink(Struct, frozen=True):
    """On the phone: read what a new device shows, and ask the relay for its offer."""

    link_text: str


class ConfirmLink(Struct, frozen=True):
    """On the phone: link the device that was shown, or don't."""

    accept: bool


class CancelLink(Struct, frozen=True):
    """Give up linking, on either side."""


class LogOutDevice(Struct, frozen=True):
    """On the phone: log a companion out; with ``wipe`` it erases its messages too."""

    device: DeviceNumber
    wipe: bool


class Resign(Struct, frozen=True):
    """On a companion: log this device out for ever, and with ``wipe`` delete its messages."""

    wipe: bool = False


class BeginRecovery(Struct, frozen=True):
    """In an unused profile: become the new phone of an account whose key was opened."""

    name: str
    account_key: bytes
    sealed_account_seed: bytes
    origin: str
    relay_id: RelayId
    device_name: str
    device_platform: str = ""


class ConfirmRecovery(Struct, frozen=True):
    """Go on with a recovery; of the companions found only these stay."""

    keep: tuple[DeviceNumber, ...]


class RecoverSamePhone(Struct, frozen=True):
    """This phone was displaced or put back from a copy: let it act for its account again."""


class SetLease(Struct, frozen=True):
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
