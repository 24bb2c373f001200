"""A small world for conversation tests: real engines, a relay in memory, no sockets, no clock.

Devices run the device engine on real SQLite (in memory); the relay runs its real decisions on
the memory store, stepped by hand. Frames travel as bytes through the real codec. Time stands
still until a test moves it. Everything is drawn from one seed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from untether.adapters.storage.device_sqlite3 import Sqlite3DeviceDatabase
from untether.adapters.storage.relay_memory import MemoryRelayStore
from untether.base.errors import UntetherError
from untether.base.identifiers import DAY_MS, AccountId, DeviceAddress, RelayId, UnixMillis
from untether.base.limits import FRAME_MAX, UNACKNOWLEDGED_MAX
from untether.crypto.provider import provider
from untether.device import effects, engine, events, inputs
from untether.device.inputs import Input
from untether.device.store import contacts, messages, own_device
from untether.device.store.messages import Message
from untether.device.store.own_device import OwnDevice, State
from untether.device.store.upgrade import bring_up_to_date, packaged_upgrades
from untether.protocol.identity.certificate import sign_as_account
from untether.relay import outcome
from untether.relay.admission import Budgets, Device, Guest, RelayRules, RelaySession
from untether.relay.delivery import next_deliveries
from untether.relay.requests import handle
from untether.wire import codec
from untether.wire.client_frames import Acknowledge, ClientFrame, Request, ResolveName
from untether.wire.records import Stamp
from untether.wire.server_frames import Answer, Challenge, Deliveries, Displaced, ServerFrame

Result = TypeVar("Result")
ORIGIN = "http://localhost:1"
START = UnixMillis(20_000 * DAY_MS)
QUIET_STEPS_MAX = 10_000


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


class WorldRelay:
    """The relay: decisions, and who is connected."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = MemoryRelayStore()
        self.rules = RelayRules(RelayId(world.randomness(16)), frozenset({ORIGIN}))
        self.budgets = Budgets()
        self.links: list[Link] = []
        self.frames: list[bytes] = []

    def connect(self, device: WorldDevice) -> Link:
        """Open a connection and send the challenge."""
        nonce = self.world.randomness(32)
        session = RelaySession(
            rules=self.rules,
            budgets=self.budgets,
            nonce=nonce,
            principal=Guest(device.label),
            connection=self.world.count(),
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
        result = run(
            handle(self.store, link.session, request.frame, self.world.now, self.world.randomness)
        )
        link.session = result.session
        if request.token:
            self._send(link, request.token, result.answer)
        for effect in result.effects:
            self._carry_out(link, effect)

    def push(self, link: Link, *, even_empty: bool = False) -> None:
        """Push what waits behind the last stamp."""
        address = link.address
        if address is None:
            return
        batch = run(next_deliveries(self.store, address, link.pushed, UNACKNOWLEDGED_MAX))
        if batch.entries or even_empty:
            if batch.entries:
                link.pushed = batch.entries[-1].stamp
            self._send(link, 0, batch)

    def _carry_out(self, link: Link, effect: outcome.Effect) -> None:
        match effect:
            case outcome.WakeMailbox(address):
                for other in list(self.links):
                    if other.receiving and other.address == address:
                        self.push(other)
            case outcome.StartDelivery(address):
                for other in self.links:
                    if other.address == address and other.receiving and other is not link:
                        other.receiving = False
                        self._send(other, 0, Displaced())
                link.receiving, link.pushed = True, None
                self.push(link, even_empty=True)
            case outcome.CutDevice(address, frame):
                for other in [one for one in self.links if one.address == address]:
                    self._send(other, 0, frame)
                    self.links.remove(other)
            case outcome.TellAccount(account_id, frame):
                for other in self.links:
                    if other.address and other.address.account_id == account_id:
                        if other is not link:
                            self._send(other, 0, frame)
            case outcome.WatchSlot(slot_id):
                link.slots.add(slot_id)
            case outcome.TellSlot(slot_id, frame):
                for other in self.links:
                    if slot_id in other.slots and other is not link:
                        self._send(other, 0, frame)

    def _send(self, link: Link, token: int, frame: ServerFrame) -> None:
        data = codec.encode(Answer(token, frame))
        self.frames.append(data)
        link.device.incoming.append((link, data))


class WorldDevice:
    """One device: its database, what it has heard, and the account key of its owner."""

    def __init__(self, world: World, label: str, account_seed: bytes | None) -> None:
        self.world = world
        self.label = label
        self.account_seed = account_seed
        self.database = Sqlite3DeviceDatabase.open(":memory:")
        bring_up_to_date(self.database, packaged_upgrades())
        self.link: Link | None = None
        self.incoming: deque[tuple[Link, bytes]] = deque()
        self.outgoing: deque[bytes] = deque()
        self.asked: dict[int, ClientFrame] = {}
        self.events: list[events.Event] = []
        self.wake_times: list[UnixMillis] = []

    def feed(self, event: Input) -> list[events.Event]:
        """Run the engine, commit, carry out the effects; return what people are told."""
        before = len(self.events)
        with self.database.transaction():
            wanted = engine.handle(
                event,
                now=self.world.now,
                randomness=self.world.randomness,
                database=self.database,
            )
        for effect in wanted:
            self._carry_out(effect)
        return self.events[before:]

    def connect(self, *, receiving: bool = True) -> None:
        """Go online; with ``receiving`` mail comes in."""
        self.disconnect()
        self.link = self.world.relay.connect(self)
        self.world.settle()
        if receiving and self.own.state is State.ACTIVE:
            self.feed(inputs.StartMail())
            self.world.settle()

    def disconnect(self) -> None:
        """Go offline: what is under way is lost."""
        if self.link in self.world.relay.links:
            self.world.relay.links.remove(self.link)
        self.link = None
        self.incoming.clear()
        self.outgoing.clear()
        self.asked.clear()

    def ask(self, frame: ClientFrame) -> None:
        """Ask the relay something on behalf of the person."""
        self._carry_out(effects.RelayRequest(frame))
        self.world.settle()

    def send(self, name: str, text: str) -> Message:
        """Write to somebody by name, as the command line does."""
        self.ask(ResolveName(name))
        with self.database.transaction():
            contact = contacts.by_name(self.database, name)
        assert contact is not None
        return self.send_to(contact.account_id, text)

    def send_to(self, account: AccountId, text: str) -> Message:
        """Write to an account; return the message as it is when all is quiet."""
        happened = self.feed(inputs.SendText(account, text))
        queued = next(one for one in happened if isinstance(one, events.MessageProgressed))
        self.world.settle()
        return next(one for one in self.history() if one.message_id == queued.message_id)

    def step(self) -> bool:
        """Move one frame; False when nothing is under way."""
        if self.outgoing and self.link is not None:
            self.world.relay.take(self.link, self.outgoing.popleft())
            return True
        if self.incoming:
            link, data = self.incoming.popleft()
            if link is self.link:
                self._receive(codec.decode(data, Answer, size_max=FRAME_MAX))
            return True
        return False

    def history(self) -> list[Message]:
        """Return all messages, oldest first."""
        with self.database.transaction():
            return messages.history(self.database, None, 1_000)

    def texts(self) -> list[str]:
        """Return the texts of all messages, oldest first."""
        return [message.text for message in self.history()]

    def notices(self) -> list[str]:
        """Return the codes of all notices so far."""
        return [event.code for event in self.events if isinstance(event, events.NoticePosted)]

    @property
    def own(self) -> OwnDevice:
        """The row of this device."""
        with self.database.transaction():
            own = own_device.load(self.database)
        assert own is not None
        return own

    def _receive(self, answer: Answer) -> None:
        if answer.token:
            request = self.asked.pop(answer.token)
            self.feed(inputs.RelayAnswered(request, answer.frame))
        else:
            self.feed(inputs.RelayPushed(answer.frame))

    def _carry_out(self, effect: effects.Effect) -> None:
        match effect:
            case effects.RelayRequest(frame):
                token = self.world.count()
                self.asked[token] = frame
                self.outgoing.append(codec.encode(Request(token, frame)))
            case effects.AcknowledgeMail(up_to):
                self.outgoing.append(codec.encode(Request(0, Acknowledge(up_to))))
            case effects.SignCertificate(body):
                if self.account_seed is not None:
                    signature = sign_as_account(self.account_seed, body)
                    self.feed(inputs.CertificateSigned(body, signature))
            case effects.WakeAt(time):
                self.wake_times.append(time)
            case effects.Notify(event):
                self.events.append(event)


class World:
    """One relay and some people's devices."""

    def __init__(self, seed: int = 1) -> None:
        self._random = Random(seed)
        self._count = 0
        self.now = START
        self.relay = WorldRelay(self)
        self.devices: list[WorldDevice] = []

    def randomness(self, length: int) -> bytes:
        """Draw from the seed."""
        return self._random.randbytes(length)

    def count(self) -> int:
        """Return a number never returned before."""
        self._count += 1
        return self._count

    def new_device(self, label: str, account_seed: bytes | None = None) -> WorldDevice:
        """Make a device in an unused profile."""
        device = WorldDevice(self, label, account_seed)
        self.devices.append(device)
        return device

    def register(self, name: str) -> WorldDevice:
        """Make a phone with a new account, online."""
        seed = self.randomness(32)
        phone = self.new_device(f"{name}'s phone", seed)
        phone.feed(
            inputs.BeginRegistration(
                name=name,
                account_key=provider().ed25519_public(seed),
                sealed_account_seed=b"sealed elsewhere",
                origin=ORIGIN,
                device_name=f"{name}'s phone",
                invitation=None,
            )
        )
        phone.connect(receiving=False)
        phone.connect()
        return phone

    def settle(self) -> None:
        """Move frames until nothing is under way; time stands still."""
        for _ in range(QUIET_STEPS_MAX):
            if not any([device.step() for device in self.devices]):
                return
        raise AssertionError("the world does not become quiet")

    def pass_time(self, milliseconds: int) -> None:
        """Let time pass; devices do what has become due in between."""
        end = UnixMillis(self.now + milliseconds)
        while True:
            due = [time for device in self.devices for time in device.wake_times if time <= end]
            self.now = max(self.now, min(due)) if due else end
            for device in self.devices:
                if any(time <= self.now for time in device.wake_times):
                    device.wake_times = [time for time in device.wake_times if time > self.now]
                    device.feed(inputs.Tick())
            self.settle()
            if not due:
                return

    def mailbox_is_empty(self, device: WorldDevice) -> bool:
        """Tell whether the relay holds nothing for a device."""
        address = DeviceAddress(device.own.account_id, device.own.device)
        batch: Deliveries = run(next_deliveries(self.relay.store, address, None, 1))
        return not batch.entries


__all__ = ["UntetherError", "World", "WorldDevice", "WorldRelay", "run"]
