"""What a request leads to: an answer, and what connections must hear of it (spec 08, "Effects")."""

from __future__ import annotations

from msgspec import Struct

from untether.base.identifiers import AccountId, DeviceAddress, SlotId, UnixMillis
from untether.base.randomness import Randomness
from untether.relay.principals import Guest, Principal
from untether.relay.session import RelaySession
from untether.wire.server_frames import LinkNews, ListNews, LoggedOut, ServerFrame


class Refusal(Exception):  # noqa: N818 (it is an answer, not an error of the relay)
    """A decision says no, before it wrote anything."""

    def __init__(self, code: str, retry_after_ms: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after_ms = retry_after_ms


class WakeMailbox(Struct, frozen=True):
    """The mailbox has news: whoever pushes it reads on behind its last stamp."""

    address: DeviceAddress


class StartDelivery(Struct, frozen=True):
    """The asking connection becomes the one that receives for its device."""

    address: DeviceAddress


class CutDevice(Struct, frozen=True):
    """Send the frame to every connection of the device, then close them."""

    address: DeviceAddress
    frame: LoggedOut


class TellAccount(Struct, frozen=True):
    """Send the frame to every logged-in connection of the account but the asking one."""

    account_id: AccountId
    frame: ListNews


class WatchSlot(Struct, frozen=True):
    """The asking connection hears of this slot from now on."""

    slot_id: SlotId


class TellSlot(Struct, frozen=True):
    """Send the frame to every connection that watches the slot but the asking one."""

    slot_id: SlotId
    frame: LinkNews


Effect = WakeMailbox | StartDelivery | CutDevice | TellAccount | WatchSlot | TellSlot


class Call(Struct, frozen=True):
    """Who asks, when, and the randomness for the answer."""

    session: RelaySession
    now: UnixMillis
    randomness: Randomness

    @property
    def address(self) -> DeviceAddress:
        """The device that asks; guests are refused before."""
        principal = self.session.principal
        if isinstance(principal, Guest):
            raise Refusal("not-allowed")
        return principal.address


class Decision(Struct, frozen=True):
    """What a decision made: the answer, effects, and who the connection is from now on."""

    answer: ServerFrame
    effects: tuple[Effect, ...] = ()
    principal: Principal | None = None


class Outcome(Struct, frozen=True):
    """What the server does next: answer, go on with ``session``, carry out the effects."""

    answer: ServerFrame
    session: RelaySession
    effects: tuple[Effect, ...] = ()
