"""One world of one seed: first faults, then everything heals and must come to rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random

from simulation.checkers import CHECKERS, ON_THE_WAY, Checker, complaints
from simulation.choices import Choices
from simulation.device_actor import ORIGIN, DeviceActor
from simulation.faults import QUIET, Faults
from simulation.people import People, Person
from simulation.relay_node import RelayNode
from simulation.schedule import Schedule
from simulation.trace import Trace
from simulation.watch import Watch, watching_endings, watching_keys
from untether.adapters.storage.relay_memory import MemoryRelayStore
from untether.base.identifiers import DAY_MS, HOUR_MS, MINUTE_MS, RelayId
from untether.base.limits import REPAIR_TRIES_MAX
from untether.device import events, prekeys
from untether.relay.session import RelayRules

STOCK = "ONE_TIME_PREKEYS"
"""The limit of ``device/prekeys.py`` that a world lowers."""

SAFETY_MAX_MS = 400 * DAY_MS
"""People must have written everything by then."""

ASKED_AGAIN = f"SELECT count(*) FROM repairs WHERE tries BETWEEN 1 AND {REPAIR_TRIES_MAX - 1}"  # noqa: S608
"""Messages that are asked for again; what was asked for in vain only ends, a month later."""

HEALED_WITHIN_MS = 5 * DAY_MS
"""From the end of all faults to rest: the last request for a message leaves after four days."""


EXCUSED_AFTER_REMOVALS = frozenset({"device-removed"})
"""Mail of a device that was logged out meanwhile (spec 07)."""


EXCUSED_AFTER_WEEKS = frozenset({"not-sealed-lease-expired", "not-sealed-asleep"})
"""Placeholders for devices that a sender may not seal for (spec 05)."""


LOOK_EVERY = 10
"""So many texts are written from one look at what must hold at any moment to the next."""


class SilentError(AssertionError):
    """People could not write as much as they should; a world of little talk proves little."""


class NotQuietError(AssertionError):
    """The world did not come to rest."""


class BrokenPromiseError(AssertionError):
    """Something is wrong in the world."""


class World:
    """Relay nodes over one store, people with devices, and what is known of them."""

    def __init__(self, seed: int, faults: Faults, messages: int) -> None:
        self.seed = seed
        self.faults = faults
        self.messages = messages
        self.choices = Choices(seed)
        self.schedule = Schedule()
        self.trace = Trace()
        self.watch = Watch()
        self._count = 0
        self.store = MemoryRelayStore()
        relay_id = RelayId(self.choices.stream("relay").randbytes(16))
        self.rules = RelayRules(relay_id, frozenset({ORIGIN}))
        self.devices: list[DeviceActor] = []
        self.nodes = [RelayNode(self, f"node-{n}") for n in range(faults.nodes)]
        self.people = People(self)
        self.weeks = bool(faults.weeks)
        self.removals = any((faults.log_out, faults.resign, faults.recover))

    @property
    def excused_causes(self) -> frozenset[str]:
        """Causes for giving mail up that faults of this world explain, beside copies put back."""
        removed = EXCUSED_AFTER_REMOVALS if self.removals else frozenset()
        away = EXCUSED_AFTER_WEEKS if self.weeks else frozenset()
        return removed | away

    @property
    def now(self) -> int:
        """True time (ms since 1970); no device's clock shows exactly this."""
        return self.schedule.now

    def count(self) -> int:
        """Return a number never returned before."""
        self._count += 1
        return self._count

    def node_for(self, random: Random) -> RelayNode | None:
        """Return the node that a new connection reaches, None when that one is down."""
        node = random.choice(self.nodes)
        return node if node.is_up else None

    def heard(self, device: DeviceActor, event: events.Event) -> None:
        """Pass on what a device tells its person."""
        self.people.heard(device, event)

    # --- the two phases -------------------------------------------------------------------
    def run(self) -> None:
        """Run both phases; raises what an engine raises, or one of the errors above."""
        watching = watching_keys(self.watch), watching_endings(self.watch)
        with _few_prekeys(self.faults.prekeys), watching[0], watching[1]:
            self.people.begin()
            self._until_all_is_written()
            self._look(ON_THE_WAY)
            self.heal()
            self._look(CHECKERS)

    def _until_all_is_written(self) -> None:
        end, looked = self.now + SAFETY_MAX_MS, 0
        while self.people.written < self.messages:
            if self.now >= end:
                raise SilentError(f"{self.people.written} of {self.messages} texts were written")
            self.schedule.run_until(self.now + MINUTE_MS)
            if self.people.written >= looked + LOOK_EVERY:
                looked = self.people.written
                self._look(ON_THE_WAY)

    def _look(self, checkers: dict[str, Checker]) -> None:
        if found := complaints(self, checkers):
            raise BrokenPromiseError("; ".join(found[:6]))

    def heal(self) -> None:
        """Take all faults away and wait for rest."""
        self.trace.note(self.now, "world", "heal")
        self.faults = replace(
            QUIET,
            accounts=self.faults.accounts,
            nodes=self.faults.nodes,
            prekeys=self.faults.prekeys,
            skew=self.faults.skew,
        )
        for node in self.nodes:
            node.restart()
        for device in self.devices:
            if not device.is_gone:
                device.line.is_partitioned = False
                device.restart()
                device.is_online = True
                device.line.disconnect()
                device.line.connect_soon(MINUTE_MS)
        for person in self.people.persons:
            self.people.repair_phone(person.phone)
        end = self.now + HEALED_WITHIN_MS
        while self.now < end:
            self.schedule.run_until(self.now + HOUR_MS)
            if not self.unrest():
                self.trace.note(self.now, "world", "rest")
                return
        raise NotQuietError("; ".join(self.unrest()[:6]))

    def unrest(self) -> list[str]:
        """Say what still waits for something; empty when all is at rest."""
        found = []
        for person in self.people.persons:
            for device in person.devices:
                if not device.is_gone:
                    found += [f"{device.name}: {one}" for one in _open_work(device)]
            found += self._waiting_mail(person)
        return found

    def _waiting_mail(self, person: Person) -> list[str]:
        waiting = []
        alive = {own.device for one in person.devices if not one.is_gone and (own := one.own)}
        for partition, rows in self.store.partitions.items():
            is_mail = partition[0] == "entries" and partition[1] == person.account
            if is_mail and rows and partition[2] in alive:
                waiting.append(f"mail of {person.name}'s device {partition[2]}: {len(rows)}")
        return waiting


def _open_work(device: DeviceActor) -> Iterator[str]:
    with device.looking() as database:
        counts = (
            ("outbox", "SELECT count(*) FROM outbox"),
            ("parked", "SELECT count(*) FROM parked WHERE state = 'waiting'"),
            ("unpublished", "SELECT count(*) FROM own_lists WHERE published = 0"),
            ("held", "SELECT count(*) FROM messages WHERE held = 1"),
            ("repairs", ASKED_AGAIN),
            ("receipts", "SELECT count(*) FROM receipts_due"),
            ("links", "SELECT count(*) FROM phone_links"),
            ("resignation", "SELECT count(*) FROM own_resignation"),
        )
        for name, sql in counts:
            (number,) = database.rows(sql)[0]
            if number:
                yield f"{name} {number}"
    own = device.own
    if own is None or own.state.value not in ("active",):
        yield f"state {own.state.value if own else 'unused'}"


@contextmanager
def _few_prekeys(level: int) -> Iterator[None]:
    """Let devices keep fewer one-time pairs, so that they run out of them."""
    before = getattr(prekeys, STOCK)
    setattr(prekeys, STOCK, level)
    try:
        yield
    finally:
        setattr(prekeys, STOCK, before)
