"""One device: the unchanged engine on real SQL, and a driver that can lose power anywhere.

It does what ``untether.client.driver`` does (transaction, effects, one timer), without an event
loop. Between any two commits the process can die; what is committed stays, everything else is
gone. A copy of the database can be put back later, as people do with backups.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, assert_never

from simulation.choices import around, happens
from simulation.device_line import DeviceLine
from simulation.disk import Disk
from simulation.schedule import Timer
from untether.base.errors import RemoteError, UntetherError
from untether.base.identifiers import SECOND_MS, UnixMillis
from untether.client.refusals import ends_connection, refusal
from untether.device import effects, engine, events, inputs
from untether.device.inputs import Input
from untether.device.store import own_device
from untether.device.store.own_device import OwnDevice, State
from untether.protocol.identity.certificate import sign_as_account
from untether.wire.client_frames import Acknowledge, ClientFrame, Login
from untether.wire.server_frames import Challenge, Refused, ServerFrame, Welcome

if TYPE_CHECKING:
    from simulation.world import World

ORIGIN = "http://localhost:1"
RESTART_MS = 20 * SECOND_MS
"""About how long a process that died stays away."""


class PowerCutError(Exception):
    """The process died in the middle of a transaction."""


class DeviceActor:
    """One device of one person."""

    def __init__(self, world: World, name: str, account_seed: bytes | None) -> None:
        self.world = world
        self.name = name
        self.account_seed = account_seed
        self.random: Random = world.choices.stream(f"device/{name}")
        self.skew = round(world.faults.skew * self.random.uniform(-240_000, 240_000))
        self.database = Disk.unused()
        self.backup: tuple[int, bytes] | None = None
        self.restored_to: list[tuple[int, int]] = []
        """Each time a copy was put back: (the copy was made, it was put back), in world time."""
        self.life = 0
        """Counts starts of the process: what was meant for an earlier one is dropped."""
        self.is_up = True
        self.is_online = True
        self.is_gone = False
        """Logged out, lost or given up: nobody uses it any more."""
        self._own: OwnDevice | None = None
        self._own_read: Disk | None = None
        """What its row was read from since the engine ran last, if it was."""
        self._timer: Timer | None = None
        self.line = DeviceLine(self)
        if self.skew:
            self.note("skew", str(self.skew))

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def now(self) -> UnixMillis:
        """This device's clock."""
        return UnixMillis(self.world.now + self.skew)

    @property
    def own(self) -> OwnDevice | None:
        """The row of this device, None in an unused profile."""
        if self._own_read is not self.database:
            self._own = own_device.load(self.database)
            self._own_read = self.database
        return self._own

    @property
    def is_active(self) -> bool:
        """A listed, running device that its person can use."""
        own = self.own
        return self.is_up and not self.is_gone and own is not None and own.state is State.ACTIVE

    def randomness(self, length: int) -> bytes:
        """Draw from the seed."""
        return self.random.randbytes(length)

    # --- the engine -----------------------------------------------------------------------
    def person(self, command: Input) -> list[events.Event]:
        """Let the person do something; what the engine refuses, they are told."""
        if not self.is_up or self.is_gone:
            return []
        try:
            return self._handle(command)
        except UntetherError as error:
            self.note("told", error.code)
        return []

    def _handle(self, event: Input) -> list[events.Event]:
        faults = self.world.faults
        if is_filling := happens(self.random, faults.disk):
            self.database.writes_left = self.random.randrange(12)
        cut = self.random.choice(CUTS) if happens(self.random, faults.device_crash) else None
        if cut == "before":
            self.crash(cut)
            return []
        wanted = None
        try:
            with self.database.transaction():
                made = engine.handle(
                    event, now=self.now, randomness=self.randomness, database=self.database
                )
                if cut == "inside":
                    raise PowerCutError
            wanted = made
        except PowerCutError:
            self.crash("inside")
            return []
        finally:
            self._own_read = None
            if is_filling and self.database.writes_left is None:
                self.note("disk-full")
            self.database.writes_left = None
            self.world.watch.committed(self.name, happened=wanted is not None)
        if cut == "after":
            self.crash(cut)
            return []
        stop_at = self.random.randrange(len(wanted) + 1) if cut == "effects" else None
        happened = [effect.event for effect in wanted if isinstance(effect, effects.Notify)]
        for told in happened:
            self._hear(told)
        ordered = sorted(wanted, key=lambda one: isinstance(one, effects.AcknowledgeMail))
        for index, effect in enumerate(ordered):
            if stop_at == index:
                self.crash("effects")
                return happened
            self._carry_out(effect)
        return happened

    def _carry_out(self, effect: effects.Effect) -> None:
        match effect:
            case effects.RelayRequest(frame):
                self.line.ask(frame)
            case effects.AcknowledgeMail(up_to):
                self.line.tell(Acknowledge(up_to))
            case effects.SignCertificate(body):
                self._verify_user(body)
            case effects.WakeAt(time):
                self._wake_at(time)
            case effects.Notify():
                pass  # the caller tells
            case _:
                assert_never(effect)

    def _verify_user(self, body: bytes) -> None:
        life, seed = self.life, self.account_seed
        refused = seed is None or happens(self.random, self.world.faults.refuse)

        def answer() -> None:
            if life != self.life:
                return
            if refused or seed is None:
                self.note("refuse")
                self.person(inputs.VerificationRefused())
            else:
                self.world.watch.certified(body)
                self.person(inputs.CertificateSigned(body, sign_as_account(seed, body)))

        self.world.schedule.after(around(self.random, 3 * SECOND_MS), answer)

    def _hear(self, event: events.Event) -> None:
        code = getattr(event, "code", "")
        self.note(type(event).__name__, str(code))
        self.world.heard(self, event)

    # --- what the line brings -------------------------------------------------------------
    def pushed(self, frame: ServerFrame) -> None:
        """Take what was not asked for."""
        if isinstance(frame, Challenge):
            self._handle(inputs.Challenged(frame, ORIGIN))
        else:
            self._handle(inputs.RelayPushed(frame))

    def answered(self, question: ClientFrame, answer: ServerFrame) -> None:
        """Take an answer with its question; raises what ends the line."""
        try:
            self._handle(inputs.RelayAnswered(question, answer))
        except RemoteError as error:
            self.note("answer-refused", error.code)
        if isinstance(answer, Refused) and ends_connection(question, answer):
            raise refusal(answer.code)
        if isinstance(question, Login) and isinstance(answer, Welcome) and self.is_active:
            self.line.logged_in()
            self._handle(inputs.StartMail())

    def _wake_at(self, time: UnixMillis) -> None:
        due = self.world.now + max(0, time - self.now)
        if self._timer is not None and self._timer.action is not None:
            if self.world.now < self._timer.due <= due:
                return
            self._timer.cancel()
        life = self.life
        self._timer = self.world.schedule.at(due, lambda: self._tick(life))

    def _tick(self, life: int) -> None:
        if life == self.life and self.is_up and not self.is_gone:
            self.person(inputs.Tick())

    # --- life and death -------------------------------------------------------------------
    def crash(self, where: str) -> None:
        """Lose the process at one of ``CUTS``; it comes back soon by itself."""
        self.note(f"crash-{where}")
        self._stop()
        self.world.schedule.after(around(self.random, RESTART_MS), self.restart)

    def _stop(self) -> None:
        self.is_up = False
        self.life += 1
        self._timer = None
        self.line.disconnect()

    def restart(self) -> None:
        """Start the process again on what is committed."""
        if self.is_up or self.is_gone:
            return
        self.is_up = True
        own = self.own
        if own is not None and own.state is State.LOGGED_OUT:
            self.leave_for_good()  # its person sees it at the start, if the event got lost
        elif self.is_online:
            self.line.connect_soon()

    def go_offline(self, milliseconds: int) -> None:
        """Have no network, with the process running, for a while."""
        self.is_online = False
        self.line.disconnect()
        self.world.schedule.after(milliseconds, self.go_online)

    def go_online(self) -> None:
        """Have network again."""
        self.is_online = True
        self.line.connect_soon()

    def leave_for_good(self) -> None:
        """Nobody uses this device any more: it was lost, logged out or given up."""
        self.is_gone = True
        self._stop()

    def back_up(self) -> None:
        """Copy the database, as a backup does."""
        self.backup = (self.world.now, self.database.image())
        self.note("back-up")

    def put_back(self) -> None:
        """Put the copy back in place of the database."""
        if self.backup is None:
            return
        made, image = self.backup
        self.note("put-back")
        self._stop()
        self.database = Disk.from_image(image)
        self.restored_to.append((made, self.world.now))
        self.restart()

    def note(self, kind: str, detail: str = "") -> None:
        """Add a line to the trace."""
        self.world.trace.note(self.world.now, self.name, kind, detail)

    @contextmanager
    def looking(self) -> Iterator[Disk]:
        """Look into the database, as checkers do."""
        with self.database.transaction():
            yield self.database


CUTS = ("before", "inside", "after", "effects")
"""Where a process dies: before its transaction, in it, behind it, or among its effects."""
