"""One relay process: unchanged decisions over the shared store, stepped one access at a time.

Every transaction suspends before each access to a row, and the schedule decides who goes on:
any two requests, on one node or on two, interleave at every step (see
``untether.adapters.storage.relay_memory``). A crash drops all that runs; what is committed stays.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

from simulation.choices import around, happens
from simulation.network import Wire
from untether.base.errors import RemoteError
from untether.base.identifiers import SECOND_MS, AccountId, DeviceAddress, SlotId, UnixMillis
from untether.base.limits import FRAME_MAX, HOUSEKEEPING_MS, UNACKNOWLEDGED_MAX
from untether.relay import outcome
from untether.relay.budgets import Budgets
from untether.relay.delivery import next_deliveries
from untether.relay.housekeeping import Sweep, expire
from untether.relay.outcome import Outcome
from untether.relay.principals import Device, Guest
from untether.relay.requests import handle
from untether.relay.session import RelaySession
from untether.wire import codec
from untether.wire.client_frames import Acknowledge, Request
from untether.wire.records import Stamp
from untether.wire.server_frames import (
    Answer,
    Challenge,
    Deliveries,
    Displaced,
    Done,
    Refused,
    ServerFrame,
)

if TYPE_CHECKING:
    from simulation.world import World

ForAllNodes = outcome.WakeMailbox | outcome.CutDevice | outcome.TellAccount | outcome.TellSlot
"""The effects that reach connections of other nodes too."""

RESTART_MS = 30 * SECOND_MS
"""About how long a process that died stays away."""

STEP_MS = 2
"""The longest pause between two accesses of one transaction."""


class RelayEnd:
    """The relay's end of one connection: who it is, what runs for it."""

    def __init__(self, node: RelayNode, wire: Wire, session: RelaySession) -> None:
        self.node = node
        self.wire = wire
        self.session = session
        self.epoch = node.epoch
        self.waiting: deque[Request] = deque()
        self.is_deciding = False
        self.is_starting = False
        self.slots: set[SlotId] = set()
        self.is_open = True

    @property
    def address(self) -> DeviceAddress | None:
        """The device that has logged in here."""
        return _address(self.session)

    @property
    def account_id(self) -> AccountId | None:
        """The account of that device."""
        return self.address.account_id if self.address else None

    def arrived(self, data: bytes) -> None:
        """Take one frame; a process that crashed meanwhile takes nothing."""
        if self.epoch == self.node.epoch and self.node.is_up:
            self.node.take(self, data)

    def lost(self) -> None:
        """The connection is gone."""
        if self.is_open:
            self.is_open = False
            self.node.leave(self)

    def send(self, token: int, frame: ServerFrame) -> None:
        """Answer or push."""
        self.wire.to_device(codec.encode(Answer(token, frame)))


class Push:
    """Pushes one device's mail to one connection, as server/mail_push.py does."""

    def __init__(self, node: RelayNode, end: RelayEnd, address: DeviceAddress) -> None:
        self.end = end
        self._node = node
        self._address = address
        self._after: Stamp | None = None
        self._unacknowledged: deque[Stamp] = deque()
        self._has_news = True
        self._is_first = True
        self._is_reading = False

    def wake(self) -> None:
        """Read on, now or as soon as the window allows."""
        self._has_news = True
        window = UNACKNOWLEDGED_MAX - len(self._unacknowledged)
        if self._is_reading or window <= 0 or not self.end.is_open:
            return
        self._is_reading, self._has_news = True, False
        reading = next_deliveries(self._node.world.store, self._address, self._after, window)
        self._node.run(reading, self._read)

    def acknowledged(self, up_to: Stamp) -> None:
        """Open the window by what the device has committed."""
        while self._unacknowledged and self._unacknowledged[0] <= up_to:
            self._unacknowledged.popleft()
        if self._has_news:
            self.wake()

    def _read(self, deliveries: Deliveries) -> None:
        self._is_reading = False
        if deliveries.entries or deliveries.dropped or self._is_first:
            self._is_first = False
            stamps = [entry.stamp for entry in deliveries.entries]
            reached = [stamp for stamp in (*stamps[-1:], deliveries.gap_at) if stamp is not None]
            self._after = max(reached, default=self._after)
            self._unacknowledged.extend(stamps)
            self.end.send(0, deliveries)
        if self._has_news or deliveries.remaining:
            self.wake()


class RelayNode:
    """One process with its connections."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self._random = world.choices.stream(f"node/{name}")
        skew = round(world.faults.skew * self._random.uniform(-2_000, 2_000))
        self._skew = skew
        self.epoch = 0
        self.is_up = True
        self._doom: tuple[str, int] | None = None
        self.budgets = Budgets()
        self.ends: dict[RelayEnd, None] = {}
        self.pushes: dict[DeviceAddress, Push] = {}
        world.schedule.after(HOUSEKEEPING_MS, self._keep_house)

    @property
    def now(self) -> UnixMillis:
        """This machine's clock."""
        return UnixMillis(self.world.now + self._skew)

    def randomness(self, length: int) -> bytes:
        """Draw from the seed."""
        return self._random.randbytes(length)

    # --- life -----------------------------------------------------------------------------
    def crash(self, where: str) -> None:
        """Drop everything that is not committed; the process comes back soon by itself."""
        self.world.trace.note(self.world.now, self.name, f"relay-crash-{where}")
        self.is_up = False
        self.epoch += 1
        self._doom = None
        self.world.schedule.after(around(self._random, RESTART_MS), self.restart)
        ends = list(self.ends)
        self.ends.clear()
        self.pushes.clear()
        self.budgets = Budgets()
        for end in ends:
            end.is_open = False
            end.wire.vanish()

    def crash_at(self, where: str, count: int) -> None:
        """Crash now (``idle``), or at the nth access from now (``inside``), or commit (``after``).

        What is committed then has neither been answered nor has it woken anybody.
        """
        self._doom = where, count
        if where == "idle":
            self._dies(where)

    def _dies(self, where: str) -> bool:
        if self._doom is None or self._doom[0] != where:
            return False
        self._doom = where, self._doom[1] - 1
        if self._doom[1] > 0:
            return False
        self.crash(where)
        return True

    def restart(self) -> None:
        """Serve again."""
        self.is_up = True
        self._doom = None

    def accept(self, wire: Wire, label: str) -> None:
        """Take a new connection and challenge it."""
        nonce = self.randomness(32)
        session = RelaySession(
            rules=self.world.rules,
            budgets=self.budgets,
            nonce=nonce,
            principal=Guest(label),
        )
        end = RelayEnd(self, wire, session)
        self.ends[end] = None
        wire.attach(end)
        challenge = Challenge(
            relay_id=session.rules.relay_id,
            nonce=nonce,
            relay_time=self.now,
            registration=session.rules.registration,
            lease_max_ms=session.rules.lease_max_ms,
        )
        end.send(0, challenge)

    def leave(self, end: RelayEnd) -> None:
        """Forget a connection."""
        self.ends.pop(end, None)
        address = end.address
        if address is not None and (push := self.pushes.get(address)) and push.end is end:
            del self.pushes[address]

    # --- requests -------------------------------------------------------------------------
    def take(self, end: RelayEnd, data: bytes) -> None:
        """Take one request, in the order in which they came."""
        try:
            request = codec.decode(data, Request, size_max=FRAME_MAX)
        except RemoteError as error:
            raise AssertionError("an honest device sent a malformed frame") from error
        end.waiting.append(request)
        self._start_waiting(end)

    def _start_waiting(self, end: RelayEnd) -> None:
        """Decide the requests of one connection one by one: their order is the relay's promise.

        What needs no row is decided at once, and comes back here while this goes on.
        """
        if end.is_starting:
            return
        end.is_starting = True
        while end.waiting and not end.is_deciding and end.epoch == self.epoch:
            request = end.waiting.popleft()
            end.is_deciding = True
            self.run(self._decide(end, request), partial(self._conclude, end, request))
        end.is_starting = False

    async def _decide(self, end: RelayEnd, request: Request) -> Outcome:
        """Decide, and let the watch see it even if nobody hears of it."""
        made = await handle(self.world.store, end.session, request.frame, self.now, self.randomness)
        sender = _address(made.session)
        self.world.watch.decided(self.world.now, sender, request.frame, made.answer)
        return made

    def run(self, work: Coroutine[Any, Any, Any], then: Callable[[Any], None]) -> None:
        """Step a coroutine of the relay, one access at a time, until it returns."""
        epoch, draw, after = self.epoch, self._random.randrange, self.world.schedule.after

        def step() -> None:
            if epoch != self.epoch:
                work.close()
                return
            try:
                work.send(None)
            except StopIteration as stop:
                if not self._dies("after"):
                    then(stop.value)
            else:
                if self._dies("inside"):
                    work.close()
                else:
                    after(draw(STEP_MS + 1), step)

        step()

    def _conclude(self, end: RelayEnd, request: Request, made: Outcome) -> None:
        end.is_deciding = False
        end.session = made.session
        answer = made.answer
        self.world.trace.note(
            self.world.now,
            self.name,
            f"{type(request.frame).__name__}",
            answer.code if isinstance(answer, Refused) else type(answer).__name__,
        )
        if request.token and end.is_open:
            end.send(request.token, answer)
        if isinstance(request.frame, Acknowledge) and isinstance(answer, Done) and end.address:
            push = self.pushes.get(end.address)
            if push is not None:
                push.acknowledged(request.frame.up_to)
        for effect in made.effects:
            if end.epoch == self.epoch:
                self._perform(end, effect)
        if not request.token and isinstance(answer, Refused):
            end.wire.reset()
        self._start_waiting(end)

    def _perform(self, asking: RelayEnd, effect: outcome.Effect) -> None:
        """Carry out an effect here, and tell the other nodes of it."""
        match effect:
            case outcome.StartDelivery(address):
                self._start_delivery(asking, address)
            case outcome.WatchSlot(slot_id):
                asking.slots.add(slot_id)
            case _:
                self.hear(effect, asking)
                for node in self.world.nodes:
                    if node is not self:
                        self._tell(node, effect)

    def _tell(self, node: RelayNode, effect: ForAllNodes) -> None:
        if happens(self._random, self.world.faults.wake_lost):
            self.world.trace.note(self.world.now, self.name, "wake-lost")
            return
        wait = around(self._random, 20)
        self.world.schedule.after(wait, lambda: node.hear(effect, None))

    def hear(self, effect: ForAllNodes, asking: RelayEnd | None) -> None:
        """Take what a decision means for the connections of this node."""
        if not self.is_up:
            return
        match effect:
            case outcome.WakeMailbox(address):
                if push := self.pushes.get(address):
                    push.wake()
            case outcome.CutDevice(address, frame):
                for end in [one for one in self.ends if one.address == address]:
                    end.send(0, frame)
                    self.world.schedule.after(5_000, end.wire.reset)
            case outcome.TellAccount(account_id, frame):
                for end in list(self.ends):
                    if end is not asking and end.account_id == account_id:
                        end.send(0, frame)
            case outcome.TellSlot(slot_id, frame):
                for end in list(self.ends):
                    if end is not asking and slot_id in end.slots:
                        end.send(0, frame)
            case _:
                assert_never(effect)

    def _start_delivery(self, end: RelayEnd, address: DeviceAddress) -> None:
        if not end.is_open:
            return
        older = self.pushes.get(address)
        if older is not None and older.end is not end:
            older.end.send(0, Displaced())
        push = self.pushes[address] = Push(self, end, address)
        push.wake()

    def _keep_house(self) -> None:
        self.world.schedule.after(HOUSEKEEPING_MS, self._keep_house)
        if self.is_up:
            self._sweep(Sweep())

    def _sweep(self, sweep: Sweep) -> None:
        if not sweep.is_finished:
            self.run(self.world.store.transact(expire, self.now, sweep), self._sweep)


def _address(session: RelaySession) -> DeviceAddress | None:
    principal = session.principal
    return principal.address if isinstance(principal, Device) else None
