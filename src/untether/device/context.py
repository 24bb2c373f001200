"""What every function of the engine gets: one open transaction, the time, and chance.

A context lives for one call of the engine. It collects the effects and remembers the own
device's row for the length of the call; nothing outlives the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from untether.base.errors import LocalError, RefusedError
from untether.base.identifiers import AccountId, UnixMillis
from untether.base.randomness import Randomness
from untether.device.effects import (
    AcknowledgeMail,
    Effect,
    Notify,
    RelayRequest,
    SignCertificate,
    WakeAt,
)
from untether.device.events import Event, NoticePosted
from untether.device.store import notices, own_device
from untether.device.store.database import Database
from untether.device.store.own_device import OwnDevice, State
from untether.wire.client_frames import ClientFrame
from untether.wire.records import Stamp

_BEGUN_BY = {
    State.REGISTERING: "register {name}",
    State.RECOVERING: "recover {name}",
    State.LINKING: "link",
}
"""State → the verb that began it and goes on with it."""


def logged_out() -> RefusedError:
    """Say that this device is out of its account."""
    return RefusedError(
        "logged-out",
        "This device was logged out of its account.",
        "Link it again in a new profile: `untether --profile DIR link …`. "
        "Old messages stay readable.",
    )


@dataclass(slots=True)
class Context:
    """One call of the engine."""

    database: Database
    now: UnixMillis
    randomness: Randomness
    effects: list[Effect] = field(default_factory=list)
    _own: OwnDevice | None = None

    @property
    def own(self) -> OwnDevice:
        """This device; raises LocalError ``no-account`` in an unused profile."""
        if self._own is None:
            self._own = own_device.require(self.database)
        return self._own

    @property
    def own_or_none(self) -> OwnDevice | None:
        """This device, or None in an unused profile."""
        if self._own is None:
            self._own = own_device.load(self.database)
        return self._own

    def require_unused(self, verb: str) -> None:
        """Raise LocalError ``already-registered`` in a profile that has an account."""
        if self.own_or_none is not None:
            raise LocalError(
                "already-registered",
                f"This profile already belongs to the account “{self.own.name}”.",
                f"Use another profile: `untether --profile DIR {verb} …`.",
            )

    @property
    def active(self) -> OwnDevice:
        """This device when it takes part; raises LocalError that says why it does not."""
        own = self.own
        if own.takes_part:
            return own
        if own.state is State.LOGGED_OUT:
            raise logged_out()
        begin = _BEGUN_BY[own.state].format(name=own.name)
        raise LocalError(
            "not-finished",
            f"This device is still {own.state.value}.",
            f"Finish it first: `untether {begin} --server {own.origin}`.",
        )

    @contextmanager
    def undoable(self) -> Iterator[None]:
        """Keep rows and effects of what happens inside, or neither of them when it raises."""
        own, effects = self._own, len(self.effects)
        try:
            with self.database.savepoint():
                yield
        except BaseException:
            self._own = own
            del self.effects[effects:]
            raise

    def save_own(self, own: OwnDevice) -> None:
        """Store the changed row of this device."""
        own_device.save(self.database, own)
        self._own = own

    def forget_own(self) -> None:
        """The row of this device was erased."""
        self._own = None

    def change_own(self, **changes: Any) -> OwnDevice:
        """Store this device with some fields changed and return it."""
        own = replace(self.own, **changes)
        self.save_own(own)
        return own

    def request(self, frame: ClientFrame) -> None:
        """Ask the relay after the commit."""
        self._add(RelayRequest(frame))

    def acknowledge(self, up_to: Stamp) -> None:
        """Remember that mail is taken, and acknowledge it after the commit, last of all."""
        own_device.save_acknowledged(self.database, up_to)
        self._own = replace(self.own, acknowledged=up_to)
        self._add(AcknowledgeMail(up_to))

    def sign_certificate(self, body: bytes) -> None:
        """Have the account key sign, by user verification."""
        self._add(SignCertificate(body))

    def jittered(self, within_ms: int) -> UnixMillis:
        """Draw a moment within so many milliseconds, so that many devices don't act in one."""
        return UnixMillis(self.now + int.from_bytes(self.randomness(4), "big") % within_ms)

    def wake_at(self, time: UnixMillis) -> None:
        """Ask for a Tick at ``time``."""
        self._add(WakeAt(time))

    def notify(self, event: Event) -> None:
        """Tell people after the commit."""
        self._add(Notify(event))

    def notice(self, code: str, account_id: AccountId | None = None, **details: int | str) -> int:
        """Post something that people should know; it is kept until shown. Returns its row."""
        posted = notices.post(self.database, code, account_id, details, self.now)
        self.notify(NoticePosted(code, account_id, details))
        return posted

    def _add(self, effect: Effect) -> None:
        if effect not in self.effects:
            self.effects.append(effect)
