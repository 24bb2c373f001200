"""What people do: write, link, log out, resign, lose phones, put copies back, go away for weeks.

Each act is a few inputs with human pauses in between; what a device tells its person decides
how the act goes on (:meth:`People.heard`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulation.choices import around, happens
from simulation.device_actor import ORIGIN, DeviceActor
from simulation.watch import PLANTED
from untether.base.identifiers import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, AccountId
from untether.base.limits import COMPANIONS_MAX, LINK_SLOT_MS
from untether.crypto.provider import provider
from untether.device import events, inputs
from untether.device.store import accounts, contacts
from untether.device.store.own_device import State
from untether.protocol.identity.account import account_id
from untether.wire.client_frames import ResolveName

if TYPE_CHECKING:
    from simulation.world import World

NAMES: Final = ("alice", "bob", "carol", "dave")
HUMAN_MS: Final = 4 * SECOND_MS
"""How long a person looks at a screen before the next step."""

SIGNING_STOPPED: Final = frozenset({"restored-from-copy", "phone-displaced", "lists-forked"})
"""Notices after which a phone's owner runs ``recover`` on it."""


class Person:
    """One account: a phone, companions, and a device that is being linked."""

    def __init__(self, name: str, account_seed: bytes) -> None:
        self.name = name
        self.account_seed = account_seed
        self.account_key = provider().ed25519_public(account_seed)
        self.account: AccountId = account_id(self.account_key)
        self.devices: list[DeviceActor] = []
        self.phone: DeviceActor
        self.joining: DeviceActor | None = None
        self.is_registered = False

    @property
    def in_use(self) -> list[DeviceActor]:
        """The devices that this person can use now."""
        return [device for device in self.devices if device.is_active]

    @property
    def companions(self) -> list[DeviceActor]:
        """The companions that are still used."""
        return [one for one in self.devices if one is not self.phone and not one.is_gone]


class People:
    """All persons of a world, and what they do next."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._random = world.choices.stream("people")
        self.persons = [
            Person(name, self._random.randbytes(32)) for name in NAMES[: world.faults.accounts]
        ]
        self.texts: dict[str, DeviceActor] = {}
        """Every text that was written, and on which device; see :meth:`_write`."""
        self._attempts = 0
        self._device_count = 0

    @property
    def written(self) -> int:
        """How many texts were written."""
        return len(self.texts)

    # --- the beginning --------------------------------------------------------------------
    def begin(self) -> None:
        """Let everybody register a phone, then start to act."""
        for person in self.persons:
            self._register(person)
        self.world.schedule.after(MINUTE_MS, self.act)

    def _register(self, person: Person) -> None:
        person.phone = self._new_device(person, "phone", person.account_seed)
        person.phone.person(
            inputs.BeginRegistration(
                name=person.name,
                account_key=person.account_key,
                sealed_account_seed=b"sealed elsewhere",
                origin=ORIGIN,
                relay_id=self.world.rules.relay_id,
                device_name=f"{person.name}'s phone",
                invitation=None,
            )
        )
        person.phone.line.connect_soon()
        self.world.schedule.after(MINUTE_MS, lambda: self._register_again(person))

    def _register_again(self, person: Person) -> None:
        if person.phone.own is None:
            person.phone.leave_for_good()
            person.devices.remove(person.phone)
            self._register(person)
        elif not person.is_registered:
            self.world.schedule.after(MINUTE_MS, lambda: self._register_again(person))

    def _new_device(self, person: Person, kind: str, seed: bytes | None) -> DeviceActor:
        self._device_count += 1
        device = DeviceActor(self.world, f"{person.name}-{kind}-{self._device_count}", seed)
        person.devices.append(device)
        self.world.devices.append(device)
        return device

    # --- acting ---------------------------------------------------------------------------
    def act(self) -> None:
        """Do one thing, and plan the next."""
        if self.written >= self.world.messages:
            return
        person = self._random.choice(self.persons)
        pause = self._act_for(person) or around(self._random, self.world.faults.pause)
        self.world.schedule.after(pause, self.act)

    def _act_for(self, person: Person) -> int:
        """Let a person do one thing; returns for how long nobody acts, 0 for a usual pause."""
        faults = self.world.faults
        acts = (
            (faults.link, self.link),
            (faults.log_out, self._log_out),
            (faults.resign, self._resign),
            (faults.recover, self._recover),
            (faults.restore, self._restore),
            (faults.offline, self._go_offline),
            (faults.partition, self._partition),
            (faults.relay_crash, self._crash_relay),
        )
        for probability, act in acts:
            if happens(self._random, probability):
                act(person)
                return 0
        if happens(self._random, faults.weeks):
            return self._go_away(person)
        if len(person.companions) < faults.companions and happens(self._random, 0.3):
            self.link(person)
            return 0
        self._write(person)
        return 0

    def _write(self, person: Person) -> None:
        device = self._pick(person.in_use)
        to = self._random.choice(self.persons)
        if device is None or not to.is_registered:
            return
        if happens(self._random, 0.05):
            to = person
        with device.looking() as database:
            known = contacts.by_account(database, to.account) is not None
        if not known and to is not person:
            device.line.ask(ResolveName(to.name))
            if happens(self._random, 0.7):
                return
        text = f"{PLANTED.decode()}{self.world.seed}-{self._attempts}"
        self._attempts += 1
        device.person(inputs.SendText(to.account, text))
        with device.looking() as database:  # it may be refused, or the process die before or after
            if database.rows("SELECT 1 FROM messages WHERE text = ?", text):
                self.texts[text] = device

    def link(self, person: Person) -> None:
        """Begin to link a new companion."""
        busy = person.joining is not None
        if busy or not person.phone.is_active or len(person.companions) >= COMPANIONS_MAX:
            return
        device = person.joining = self._new_device(person, "laptop", None)
        device.note("link")
        device.line.connect_soon()
        device.person(
            inputs.OfferLink(
                ORIGIN, self.world.rules.relay_id, device.name[-60:], "desktop", LINK_SLOT_MS
            )
        )
        self.world.schedule.after(2 * LINK_SLOT_MS, lambda: self._give_up_link(person, device))

    def _give_up_link(self, person: Person, device: DeviceActor) -> None:
        if person.joining is device:
            person.joining = None
        own = device.own
        if not device.is_gone and (own is None or own.state is not State.ACTIVE):
            device.leave_for_good()

    def _log_out(self, person: Person) -> None:
        device = self._pick([one for one in person.companions if one.own])
        if device is not None and (own := device.own) is not None:
            person.phone.note("log-out", device.name)
            person.phone.person(inputs.LogOutDevice(own.device, happens(self._random, 0.3)))

    def _resign(self, person: Person) -> None:
        device = self._pick([one for one in person.companions if one.is_active])
        if device is not None:
            device.note("resign")
            device.person(inputs.Resign())

    def _recover(self, person: Person) -> None:
        """The phone is lost; a new one takes the account by its recovery code."""
        if not person.is_registered or person.joining is not None:
            return
        person.phone.note("recover")
        person.phone.leave_for_good()
        phone = person.phone = self._new_device(person, "phone", person.account_seed)
        self._begin_recovery(person, phone)

    def _begin_recovery(self, person: Person, phone: DeviceActor) -> None:
        if phone is not person.phone or phone.is_gone:
            return
        if phone.own is None:
            phone.person(
                inputs.BeginRecovery(
                    name=person.name,
                    account_key=person.account_key,
                    sealed_account_seed=b"sealed elsewhere",
                    origin=ORIGIN,
                    relay_id=self.world.rules.relay_id,
                    device_name="new phone",
                )
            )
            phone.line.connect_soon()
        own = phone.own
        if own is None or own.state is State.RECOVERING:
            again = 5 * MINUTE_MS
            self.world.schedule.after(again, lambda: self._begin_recovery(person, phone))
            phone.line.disconnect()
            phone.line.connect_soon(SECOND_MS)

    def _restore(self, person: Person) -> None:
        device = self._pick(person.in_use)
        if device is None:
            return
        device.back_up()
        later = around(self._random, 20 * self.world.faults.pause)
        self.world.schedule.after(later, lambda: self._put_back(device))

    def _put_back(self, device: DeviceActor) -> None:
        if not device.is_gone and device.is_up and self.world.faults.restore:
            device.put_back()

    def _go_offline(self, person: Person) -> None:
        device = self._pick(person.in_use)
        if device is not None:
            device.note("offline")
            device.go_offline(around(self._random, 10 * self.world.faults.pause))

    def _go_away(self, person: Person) -> int:
        """Leave one device, often the phone, switched off for days or weeks; others may rest."""
        choice = person.phone if happens(self._random, 0.5) else self._pick(person.in_use)
        away = self._random.choice((2, 8, 15, 29, 40)) * DAY_MS
        if choice is None or not choice.is_active:
            return 0
        choice.note("weeks", str(away // DAY_MS))
        choice.go_offline(away)
        return self._random.randrange(away) if happens(self._random, 0.5) else 0

    def _partition(self, person: Person) -> None:
        device = self._pick(person.in_use)
        if device is not None:
            device.line.partition(around(self._random, HOUR_MS / 4))

    def _crash_relay(self, _person: Person) -> None:
        node = self._random.choice(self.world.nodes)
        if node.is_up:
            where, most = self._random.choice((("idle", 1), ("inside", 60), ("after", 10)))
            node.crash_at(where, self._random.randrange(most) + 1)

    # --- reacting -------------------------------------------------------------------------
    def heard(self, device: DeviceActor, event: events.Event) -> None:
        """Let the person of a device react to what it tells."""
        person = next(one for one in self.persons if device in one.devices)
        match event:
            case events.AccountActivated():
                person.is_registered = True
                if person.joining is device:
                    person.joining = None
                device.line.disconnect()
                device.line.connect_soon(around(self._random, SECOND_MS))
            case events.RequestRefused("register" | "recover", _):
                self._later(lambda: self._try_again(device))
            case events.LinkOffered(text, _):
                if person.joining is device:
                    self._later(lambda: person.phone.person(inputs.ApproveLink(text)))
            case events.LinkRequested():
                self._later(lambda: self._confirm_link(device))
            case events.LinkAnswered():
                self._later(lambda: self._confirm_account(device))
            case events.LinkFailed():
                if person.joining is device:
                    person.joining = None
                    device.leave_for_good()
            case events.RecoveryFound(companions):
                numbers = tuple(number for number, _ in companions)
                self._later(lambda: device.person(inputs.ConfirmRecovery(numbers)))
            case events.DeviceLoggedOut():
                self._later(device.leave_for_good)
            case events.NoticePosted(code, _, _) if code in SIGNING_STOPPED:
                self._recover_same_later(device)

    def _try_again(self, device: DeviceActor) -> None:
        own = device.own
        if own is not None and own.state is State.RECOVERING:
            device.line.disconnect()
            device.line.connect_soon(MINUTE_MS)

    def _confirm_link(self, phone: DeviceActor) -> None:
        if happens(self._random, self.world.faults.cancel):
            phone.note("cancel")
            phone.person(inputs.CancelLink())
        else:
            phone.person(inputs.ConfirmLink(accept=not happens(self._random, 0.05)))

    def _confirm_account(self, device: DeviceActor) -> None:
        if happens(self._random, self.world.faults.cancel):
            device.note("cancel")
            device.person(inputs.CancelLink())
        else:
            device.person(inputs.ConfirmAccount(accept=not happens(self._random, 0.05)))

    def _recover_same_later(self, phone: DeviceActor) -> None:
        self.world.schedule.after(around(self._random, MINUTE_MS), lambda: self.repair_phone(phone))

    def repair_phone(self, phone: DeviceActor) -> None:
        """Run ``recover`` on a phone that signs nothing, until it acts again."""
        if phone.is_gone:
            return
        own = phone.own
        with phone.looking() as database:
            found = database.rows("SELECT signing_stopped FROM own_standing")
            account = accounts.find(database, own.account_id) if own is not None else None
        forked = account is not None and account.forked
        stopped = forked or (bool(found) and found[0][0] != "")
        if own is not None and (stopped or own.state is State.RECOVERING):
            if own.state is State.ACTIVE:
                phone.person(inputs.RecoverSamePhone())
            self.world.schedule.after(5 * MINUTE_MS, lambda: self.repair_phone(phone))

    def _later(self, act: object) -> None:
        assert callable(act)
        self.world.schedule.after(around(self._random, HUMAN_MS), act)

    def _pick(self, devices: list[DeviceActor]) -> DeviceActor | None:
        return self._random.choice(devices) if devices else None
