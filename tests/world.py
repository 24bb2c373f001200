"""A small world for conversation tests: real engines, a relay in memory, no sockets, no clock.

Devices run the device engine on real SQLite (in memory); the relay runs its real decisions on
the memory store, stepped by hand. Frames travel as bytes through the real codec. Time stands
still until a test moves it. Everything is drawn from one seed.
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TypeVar, assert_never

from tests.world_relay import ORIGIN, Link, WorldRelay, run

from untether.adapters.storage.device_sqlite3 import Sqlite3DeviceDatabase
from untether.base.errors import UntetherError
from untether.base.identifiers import DAY_MS, AccountId, DeviceAddress, UnixMillis
from untether.base.limits import FRAME_MAX, LINK_SLOT_MS
from untether.crypto.provider import provider
from untether.device import effects, engine, events, inputs
from untether.device.inputs import Input
from untether.device.store import contacts, messages, own_device
from untether.device.store.messages import Message
from untether.device.store.own_device import OwnDevice, State
from untether.device.store.upgrade import bring_up_to_date, packaged_upgrades
from untether.protocol.identity.certificate import sign_as_account
from untether.relay.delivery import next_deliveries
from untether.wire import codec
from untether.wire.client_frames import Acknowledge, ClientFrame, Request, ResolveName
from untether.wire.server_frames import Answer, Deliveries

Happened = TypeVar("Happened")
START = UnixMillis(20_000 * DAY_MS)
QUIET_STEPS_MAX = 10_000


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
        self.verification_refused = False
        self.inputs_until_crash: int | None = None
        self.clock_ahead_ms = 0

    @property
    def now(self) -> UnixMillis:
        """What the clock of this device shows."""
        return UnixMillis(self.world.now + self.clock_ahead_ms)

    def feed(self, event: Input) -> list[events.Event]:
        """Run the engine, commit, carry out the effects; return what people are told.

        A crash, where a test wants one, comes after the commit: no effect is carried out.
        """
        before = len(self.events)
        if self.inputs_until_crash is not None:
            self.inputs_until_crash -= 1
        with self.database.transaction():
            wanted = engine.handle(
                event,
                now=self.now,
                randomness=self.world.randomness,
                database=self.database,
            )
        if self.inputs_until_crash == 0:
            self.inputs_until_crash = None
            self.disconnect()
            return []
        for effect in wanted:
            self._carry_out(effect)
        return self.events[before:]

    def log_out(self, device: WorldDevice, *, wipe: bool = False) -> None:
        """Log a companion out, on the phone."""
        self.feed(inputs.LogOutDevice(device.own.device, wipe))
        self.world.settle()

    def happened(self, kind: type[Happened]) -> list[Happened]:
        """Return all events of a kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def connect(self, *, receiving: bool = True) -> None:
        """Go online; with ``receiving`` mail comes in."""
        self.disconnect()
        self.link = self.world.relay.connect(self)
        self.world.settle()
        if receiving and self.own_or_none is not None and self.own.state is State.ACTIVE:
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
        """Write to an account, a moment later; return the message as it is when all is quiet."""
        self.world.now = UnixMillis(self.world.now + 1)
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
        own = self.own_or_none
        assert own is not None
        return own

    @property
    def own_or_none(self) -> OwnDevice | None:
        """The row of this device, None in an unused profile."""
        with self.database.transaction():
            return own_device.load(self.database)

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
                if self.verification_refused:
                    self.feed(inputs.VerificationRefused())
                elif self.account_seed is not None:
                    signature = sign_as_account(self.account_seed, body)
                    self.feed(inputs.CertificateSigned(body, signature))
            case effects.WakeAt(time):
                self.wake_times.append(UnixMillis(time - self.clock_ahead_ms))
            case effects.Notify(event):
                self.events.append(event)
            case _:
                assert_never(effect)


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
                relay_id=self.relay.rules.relay_id,
                device_name=f"{name}'s phone",
                invitation=None,
            )
        )
        phone.connect(receiving=False)
        phone.connect()
        return phone

    def offer_link(self, label: str, *, lifetime_ms: int = LINK_SLOT_MS) -> WorldDevice:
        """Let a new device show its link text."""
        companion = self.new_device(label)
        companion.connect()
        companion.feed(
            inputs.OfferLink(ORIGIN, self.relay.rules.relay_id, label, "desktop", lifetime_ms)
        )
        self.settle()
        return companion

    def link(self, phone: WorldDevice, label: str) -> WorldDevice:
        """Link a new device to a phone's account; both are online at the end."""
        companion = self.offer_link(label)
        phone.feed(inputs.ApproveLink(companion.happened(events.LinkOffered)[-1].link_text))
        self.settle()
        phone.feed(inputs.ConfirmLink(accept=True))
        self.settle()
        companion.feed(inputs.ConfirmAccount(accept=True))
        self.settle()
        companion.connect()
        return companion

    def settle(self) -> None:
        """Move frames until nothing is under way; time stands still."""
        for _ in range(QUIET_STEPS_MAX):
            moved = [device.step() for device in self.devices]
            if not any(moved):
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


__all__ = ["ORIGIN", "UntetherError", "World", "WorldDevice", "WorldRelay", "run"]
