"""What the world knows of a device, fact by fact, and whether an image of its disk agrees.

The hardest question is asked by going on from the image: the device logs in again, sends what it
holds and writes one more message. If its sessions were behind what had left it, a message key
would be used a second time, and that shows in the headers.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.crashes.device_run import Did, Pushed, Taken, open_device
from tests.crashes.disks import Disk, mounted
from tests.world import ORIGIN

from untether.base.identifiers import AccountId, DeviceAddress, MessageId, RelayId, UnixMillis
from untether.base.limits import LEASE_MAX_MS, ONE_TIME_PREKEYS
from untether.device import effects, engine, events, inputs, own_account
from untether.device.context import Context
from untether.device.store import contacts, own_device
from untether.device.store.database import DeviceDatabase
from untether.device.store.own_device import OwnDevice, State
from untether.wire.client_frames import ClientFrame, Login, Register, Submit, SubmitDirect
from untether.wire.records import Stamp
from untether.wire.server_frames import Challenge, Welcome

PREFIX_LENGTH: Final = 1_146
"""Spec 04, "Handshake"."""

Seal = tuple[DeviceAddress, bytes]
"""For whom, and under which ratchet key with which number: a message key is used for one."""


def seals(frame: ClientFrame) -> dict[Seal, bytes]:
    """Return the headers of a submission by the message key that each has used."""
    match frame:
        case Submit():
            headers = [
                (DeviceAddress(recipient.account_id, copy.device), copy.header)
                for recipient in frame.recipients
                for copy in recipient.copies
            ]
        case SubmitDirect():
            headers = [(DeviceAddress(frame.account_id, frame.device), frame.header)]
        case _:
            return {}
    found = {}
    for address, header in headers:
        if header is not None:
            message = header[PREFIX_LENGTH:] if header[0] == 2 else header
            ratchet_key, number = message[1:33], message[37:41]
            found[(address, ratchet_key + number)] = header
    return found


class DeviceLedger:
    """Facts about one device, of which the newest come last."""

    def __init__(self) -> None:
        self._random = Random("after the power cut")
        self._now = UnixMillis(0)
        self._relay_id = RelayId(bytes(16))
        self._register: Register | None = None
        self._login_counter = 0
        self._seals: dict[Seal, bytes] = {}
        self._lists: set[bytes] = set()
        self._pushed: list[tuple[Stamp, MessageId]] = []
        self._acknowledged: Stamp | None = None
        self._opened: set[MessageId] = set()
        self._written: set[MessageId] = set()
        self._received: set[MessageId] = set()
        self._states: dict[MessageId, str] = {}
        self._taken: set[MessageId] = set()
        self._notices: set[str] = set()

    # --- facts ----------------------------------------------------------------------------

    def learn(self, fact: Did | Pushed | Taken) -> None:
        """Take in one fact."""
        match fact:
            case Pushed(entries):
                self._pushed += entries
            case Taken(message_id):
                self._taken.add(message_id)
            case Did(effect, now):
                self._now = now
                self._did(effect)

    def _did(self, effect: effects.Effect) -> None:
        match effect:
            case effects.RelayRequest(frame):
                self._left(frame)
            case effects.AcknowledgeMail(up_to):
                self._acknowledged = up_to
                self._opened |= {one for stamp, one in self._pushed if stamp <= up_to}
                self._pushed = [one for one in self._pushed if one[0] > up_to]
            case effects.Notify(events.MessageReceived(message_id)):
                self._received.add(message_id)
            case effects.Notify(events.MessageProgressed(message_id, _, state)):
                if state == "queued":  # else an own device may have written it
                    self._written.add(message_id)
                self._states[message_id] = state
            case effects.Notify(events.NoticePosted(code)):
                self._notices.add(code)

    def _left(self, frame: ClientFrame) -> None:
        if isinstance(frame, Register):
            self._register = frame
        if isinstance(frame, Login):
            self._login_counter = frame.counter
        self._lists |= {signed.body for signed in getattr(frame, "lists", ())}
        self._compare_seals(frame)
        self._seals |= seals(frame)

    def _compare_seals(self, frame: ClientFrame) -> None:
        for seal, header in seals(frame).items():
            assert self._seals.get(seal, header) == header, "a message key was used twice"

    # --- images ---------------------------------------------------------------------------

    def check(self, folder: Path) -> None:
        """Open an image and go on from it; AssertionError where it contradicts the facts."""
        with mounted(Disk(folder)):
            database = open_device(folder)
            try:
                with database.transaction():
                    self._compare(database)
                self._go_on(database)
            finally:
                database.close()

    def _compare(self, database: DeviceDatabase) -> None:
        def column(sql: str) -> list[Any]:
            return [row[0] for row in database.rows(sql)]

        assert column("PRAGMA integrity_check") == ["ok"]
        assert column("PRAGMA foreign_key_check") == []
        own = own_device.load(database)
        if own is None:
            assert self._register is None, "an account is forgotten"
            return
        assert self._acknowledged is None or (
            own.acknowledged is not None and own.acknowledged >= self._acknowledged
        ), "an acknowledgement is forgotten"
        assert self._lists <= set(column("SELECT body FROM own_lists")), "a signed list is lost"
        seen = set(column("SELECT message_id FROM seen UNION SELECT message_id FROM parked"))
        assert self._opened <= seen, "acknowledged mail is lost"
        states = {
            id_: str(state)
            for id_, state in database.rows("SELECT message_id, state FROM messages")
        }
        assert self._received <= states.keys(), "a message that was shown is lost"
        assert self._written <= states.keys(), "a message that was written is lost"
        order = ("queued", "sent", "delivered")
        for message_id, state in self._states.items():
            assert order.index(states[message_id]) >= order.index(state), "a state went back"
        waiting = set(column("SELECT message_id FROM outbox"))
        assert self._written <= waiting | self._taken, "a message would never be sent"
        assert self._notices <= set(column("SELECT code FROM notices"))

    def _go_on(self, database: DeviceDatabase) -> None:
        with database.reading():
            own = own_device.load(database)
        if own is None:
            return
        frames = self._handle(database, inputs.Challenged(self._challenge(own), ORIGIN))
        if own.state is State.REGISTERING:
            found = [frame for frame in frames if isinstance(frame, Register)]
            assert self._register is None or found == [self._register]
            return
        (login,) = [frame for frame in frames if isinstance(frame, Login)]
        assert login.counter > self._login_counter, "a login would look like a copy's"
        with database.reading():
            head = own_account.newest(Context(database, self._now, self._draw)).head
            known = contacts.by_name(database, "bob")
        welcome = Welcome(self._login_counter, head, ONE_TIME_PREKEYS, 0)
        frames = self._handle(database, inputs.RelayAnswered(login, welcome))
        if known is not None:
            frames += self._write(database, known.account_id)
        for first, second in itertools.combinations(map(seals, frames), 2):
            assert all(second.get(seal, header) == header for seal, header in first.items())
        for frame in frames:
            self._compare_seals(frame)

    def _write(self, database: DeviceDatabase, to: AccountId) -> list[ClientFrame]:
        return self._handle(database, inputs.SendText(to, "written after the power cut"))

    def _handle(self, database: DeviceDatabase, event: inputs.Input) -> list[ClientFrame]:
        with database.transaction():
            wanted = engine.handle(event, now=self._now, randomness=self._draw, database=database)
        told = [one.event for one in wanted if isinstance(one, effects.Notify)]
        assert not [one for one in told if isinstance(one, events.NoticePosted)], told
        return [one.frame for one in wanted if isinstance(one, effects.RelayRequest)]

    def _draw(self, length: int) -> bytes:
        return self._random.randbytes(length)

    def _challenge(self, own: OwnDevice) -> Challenge:
        return Challenge(
            relay_id=own.relay_id or self._relay_id,
            nonce=bytes(32),
            relay_time=self._now,
            registration="open",
            lease_max_ms=LEASE_MAX_MS,
        )
