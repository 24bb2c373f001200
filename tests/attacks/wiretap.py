"""What a relay sees: every request that devices make, and how many copies are for whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from tests.world import World, WorldDevice
from tests.world_relay import Link

from untether.base.identifiers import AccountId, DeviceNumber
from untether.base.limits import FRAME_MAX
from untether.wire import codec
from untether.wire.client_frames import ClientFrame, Request, Submit, SubmitDirect

Asked = TypeVar("Asked", bound=ClientFrame)


@dataclass(frozen=True)
class CopyFor:
    """One sealed copy of a message as it reached the relay."""

    sender: WorldDevice
    account_id: AccountId
    device: DeviceNumber
    header: bytes
    body: bytes


@dataclass
class Wiretap:
    """All requests of a world's devices from now on, in the order in which they came."""

    world: World
    requests: list[tuple[WorldDevice, ClientFrame]] = field(default_factory=list)

    def __post_init__(self) -> None:
        take = self.world.relay.take

        def overhear(link: Link, data: bytes) -> None:
            request = codec.decode(data, Request, size_max=FRAME_MAX)
            self.requests.append((link.device, request.frame))
            take(link, data)

        self.world.relay.take = overhear  # type: ignore[method-assign]

    def asked(self, kind: type[Asked]) -> list[Asked]:
        """Return all requests of one kind."""
        return [frame for _, frame in self.requests if isinstance(frame, kind)]

    def copies(self) -> list[CopyFor]:
        """Return every sealed copy of every message that was submitted."""
        found = []
        for sender, frame in self.requests:
            match frame:
                case Submit(_, body, recipients):
                    found += [
                        CopyFor(sender, recipient.account_id, copy.device, copy.header, body)
                        for recipient in recipients
                        for copy in recipient.copies
                        if copy.header is not None
                    ]
                case SubmitDirect():
                    found.append(
                        CopyFor(sender, frame.account_id, frame.device, frame.header, frame.body)
                    )
        return found

    def copies_for(self, account_id: AccountId, number: DeviceNumber) -> list[CopyFor]:
        """Return the copies that are sealed for one device."""
        copies = self.copies()
        return [one for one in copies if (one.account_id, one.device) == (account_id, number)]

    def forget(self) -> None:
        """Listen anew."""
        self.requests.clear()
