"""The relay of the small world: its real decisions on the memory store, and who is connected."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, assert_never

from untether.adapters.storage.relay_memory import MemoryRelayStore
from untether.base.identifiers import AccountId, DeviceAddress, RelayId
from untether.base.limits import FRAME_MAX, UNACKNOWLEDGED_MAX
from untether.device import inputs
from untether.relay import outcome
from untether.relay.budgets import Budgets
from untether.relay.delivery import next_deliveries
from untether.relay.principals import Device, Guest
from untether.relay.requests import handle
from untether.relay.session import RelayRules, RelaySession
from untether.wire import codec
from untether.wire.client_frames import ClientFrame, Request
from untether.wire.records import Stamp
from untether.wire.server_frames import Answer, Challenge, Displaced, Refused, ServerFrame

if TYPE_CHECKING:
    from tests.world import World, WorldDevice

Result = TypeVar("Result")
ORIGIN = "http://localhost:1"


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Step a coroutine that only ever yields turns until it returns."""
    while True:
        try:
            coroutine.send(None)
        except StopIteration as stop:
            result: Result = stop.value
            return result


@dataclass(eq=False)
class Link:
    """One open connection between a device and the relay."""

    device: WorldDevice
    session: RelaySession
    pushed: Stamp | None = None
    receiving: bool = False
    slots: set[bytes] = field(default_factory=set)

    @property
    def address(self) -> DeviceAddress | None:
        """The device that has logged in here."""
        principal = self.session.principal
        return principal.address if isinstance(principal, Device) else None

    @property
    def account_id(self) -> AccountId | None:
        """The account of that device."""
        return self.address.account_id if self.address else None


Answering = Callable[[Link, ClientFrame, ServerFrame], ServerFrame]
"""What a lying relay says to a request in place of the true answer."""


class WorldRelay:
    """The relay: decisions, and who is connected."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = MemoryRelayStore()
        self.rules = RelayRules(RelayId(world.randomness(16)), frozenset({ORIGIN}))
        self.budgets = Budgets()
        self.links: list[Link] = []
        self.frames: list[bytes] = []
        self.refusing: Callable[[ClientFrame], Refused | None] = lambda _request: None
        self.answering: Answering = lambda _link, _request, answer: answer
        self.lie: Callable[[Link, ServerFrame], ServerFrame | None] = lambda _, frame: frame

    def connect(self, device: WorldDevice) -> Link:
        """Open a connection and send the challenge."""
        nonce = self.world.randomness(32)
        session = RelaySession(
            rules=self.rules,
            budgets=self.budgets,
            nonce=nonce,
            principal=Guest(device.label),
        )
        link = Link(device, session)
        self.links.append(link)
        challenge = Challenge(
            relay_id=self.rules.relay_id,
            nonce=nonce,
            relay_time=self.world.now,
            registration=self.rules.registration,
            lease_max_ms=self.rules.lease_max_ms,
        )
        device.feed(inputs.Challenged(challenge, ORIGIN))
        return link

    def take(self, link: Link, data: bytes) -> None:
        """Take one frame from a device."""
        self.frames.append(data)
        request = codec.decode(data, Request, size_max=FRAME_MAX)
        if (refused := self.refusing(request.frame)) and request.token:
            self._send(link, request.token, refused)
            return
        result = run(
            handle(self.store, link.session, request.frame, self.world.now, self.world.randomness)
        )
        link.session = result.session
        if request.token:
            self._send(link, request.token, self.answering(link, request.frame, result.answer))
        for effect in result.effects:
            self._carry_out(link, effect)

    def push(self, link: Link, *, even_empty: bool = False) -> None:
        """Push what waits behind the last stamp, at most a window of it."""
        address, room = link.address, UNACKNOWLEDGED_MAX
        while address is not None:
            batch = run(next_deliveries(self.store, address, link.pushed, room))
            if batch.entries:
                link.pushed = batch.entries[-1].stamp
            if batch.entries or even_empty:
                self._send(link, 0, batch)
            room -= len(batch.entries)
            if not (room and batch.entries and batch.remaining):
                return

    def _carry_out(self, link: Link, effect: outcome.Effect) -> None:
        match effect:
            case outcome.WakeMailbox(address):
                for other in self._links_of(address):
                    if other.receiving:
                        self.push(other)
            case outcome.StartDelivery(address):
                self._start_delivery(link, address)
            case outcome.CutDevice(address, frame):
                for other in self._links_of(address):
                    self._send(other, 0, frame)
                    self.links.remove(other)
            case outcome.TellAccount(account_id, frame):
                others = [one for one in self.links if one.account_id == account_id]
                self._tell([one for one in others if one is not link], frame)
            case outcome.WatchSlot(slot_id):
                link.slots.add(slot_id)
            case outcome.TellSlot(slot_id, frame):
                watching = [one for one in self.links if slot_id in one.slots]
                self._tell([one for one in watching if one is not link], frame)
            case _:
                assert_never(effect)

    def _links_of(self, address: DeviceAddress) -> list[Link]:
        return [link for link in self.links if link.address == address]

    def _start_delivery(self, link: Link, address: DeviceAddress) -> None:
        for other in self._links_of(address):
            if other.receiving and other is not link:
                other.receiving = False
                self._send(other, 0, Displaced())
        link.receiving, link.pushed = True, None
        self.push(link, even_empty=True)

    def _tell(self, links: list[Link], frame: ServerFrame) -> None:
        for link in links:
            self._send(link, 0, frame)

    def _send(self, link: Link, token: int, frame: ServerFrame) -> None:
        """Send a frame, or what the relay says in its place; None is kept back."""
        said = self.lie(link, frame)
        if said is None:
            return
        data = codec.encode(Answer(token, said))
        self.frames.append(data)
        link.device.incoming.append((link, data))
