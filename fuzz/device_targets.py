"""The engine of a device, fed with hostile frames of its relay and hostile words of its peers.

Each input runs in the transaction that the driver opens, and is taken back afterwards. What an
input leads to must be sayable: every request a relay can read, every notice has its words.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Any, NamedTuple

from tests.world import WorldDevice
from tests.world_relay import ORIGIN

from fuzz import script, story
from fuzz.harness import Case, expect
from fuzz.script import Script
from fuzz.shortcuts import same_encapsulations, signatures_hold
from fuzz.wire_targets import HEAD, contents
from untether.base.errors import PlatformError, UntetherError
from untether.base.identifiers import AccountId, DeviceNumber, MessageId
from untether.base.limits import FRAME_MAX
from untether.cli import render
from untether.cli.errors import json_line
from untether.client.people import NamedMessage, named_notices
from untether.device import directory, engine, events, inputs
from untether.device.context import Context
from untether.device.effects import Effect, Notify, RelayRequest
from untether.device.inputs import Input
from untether.device.parties import own_party, party_of
from untether.device.store import messages, notices, peers, sessions
from untether.device.store.messages import Message
from untether.device.store.own_device import State
from untether.device.store.sessions import PeerKey
from untether.protocol.body import seal_body
from untether.protocol.pairwise import session_book
from untether.protocol.pairwise.parties import Ends
from untether.protocol.pairwise.session_book import Sessions
from untether.wire.client_frames import (
    ClientFrame,
    FetchLists,
    GetLinkItem,
    OpenLinkSlot,
    PutLinkItem,
    Recover,
    Register,
    Request,
    ResolveName,
)
from untether.wire.codec import decode, encode
from untether.wire.content import BodyKey
from untether.wire.records import Stamp
from untether.wire.server_frames import Answer, Challenge, Deliveries, Entry

WORDS_MAX = 60_000
"""Bytes that fit a body."""

SECRET_TABLES = (
    "sessions",
    "sending_chains",
    "skipped_keys",
    "prekeys",
    "used_base_keys",
    "messages",
)
"""What only a message that opened may change."""


LINK_REQUESTS = (OpenLinkSlot, GetLinkItem, PutLinkItem)
"""What a device asks that has no account yet."""


class UndoneError(Exception):
    """Takes back what an input did; the driver rolls back in the same way."""


class Fed:
    """One device, always in the same state before an input."""

    def __init__(self, device: WorldDevice) -> None:
        self.device = device
        self._before = self._all_rows()

    def feed(self, event: Input) -> list[Effect]:
        """Run one input; whether it is refused or carried out, nothing of it stays."""
        effects: list[Effect] = []
        try:
            with suppress(UndoneError), self.device.database.transaction():
                secrets = self._secrets()
                effects = engine.handle(
                    event,
                    now=self.device.now,
                    randomness=Random(0).randbytes,
                    database=self.device.database,
                )
                self._check_secrets(event, secrets)
                self._check_shown()
                raise UndoneError
        except UntetherError as error:
            expect(not isinstance(error, PlatformError), f"a defect of the database: {error}")
            expect(self._all_rows() == self._before, "a refused input left something")
            raise
        for effect in effects:
            check_sayable(effect)
        return effects

    def _all_rows(self) -> list[Any]:
        with self.device.database.transaction():
            rows = self.device.database.rows
            names = [
                name for (name,) in rows("SELECT name FROM sqlite_schema WHERE type = 'table'")
            ]
            return [rows(f"SELECT * FROM {name}") for name in names]  # noqa: S608

    def _secrets(self) -> list[Any]:
        rows = self.device.database.rows
        seen = rows("SELECT count(*) FROM seen")
        return [seen, *(rows(f"SELECT * FROM {table}") for table in SECRET_TABLES)]  # noqa: S608

    def _check_secrets(self, event: Input, before: list[Any]) -> None:
        """Where no message opened, mail changes neither keys nor messages."""
        if not isinstance(event, inputs.RelayPushed) or not isinstance(event.frame, Deliveries):
            return
        after = self._secrets()
        if event.frame.remaining and after[0] == before[0]:
            expect(after == before, "mail that did not open changed keys or messages")

    def _check_shown(self) -> None:
        """Whatever was stored can be shown to a person, and to a program."""
        for message in messages.history(self.device.database, None, 2):
            show(message)
        for named in named_notices(self.device.database, notices.unshown(self.device.database)):
            render.notice_line(named)


def show(message: Message) -> None:
    """Render a message in all forms."""
    named = NamedMessage(message, "alice", "bob", known=True)
    render.message_line(named)
    json_line(render.message_json(named))


def check_sayable(effect: Effect) -> None:
    """A request is one that a relay reads; an event can be told."""
    match effect:
        case RelayRequest(frame):
            request = Request(1, frame)
            read = decode(encode(request), Request, size_max=FRAME_MAX)
            expect(read == request, "a device asks what no relay understands")
        case Notify(events.ClockDiffers() | events.NoticePosted()):
            repr(effect)


def _draw(length: int) -> bytes:
    return b"\x42" * length


@contextmanager
def pushes() -> Iterator[Case]:
    """A relay pushes what it likes to a device in any state."""
    told = story.tell()
    with signatures_hold():
        devices = [Fed(device) for device in told.devices]
        genuine = [*told.answers, *(_one_by_one(told.mail))]

        def build(data: bytes) -> tuple[Fed, bytes]:
            steps = Script(data)
            return devices[steps.byte() % len(devices)], script.message(steps, genuine)

        def read(built: tuple[Fed, bytes]) -> object:
            device, pushed = built
            frame = decode(pushed, Answer, size_max=FRAME_MAX).frame
            return device.feed(inputs.RelayPushed(frame))

        found = [script.plain(number) for number in range(len(genuine))]
        yield Case(build, read, [bytes([device]) + one for device in (0, 1) for one in found])


def _one_by_one(mail: Deliveries) -> list[bytes]:
    return [encode(Answer(0, Deliveries((entry,), remaining=1))) for entry in mail.entries]


@contextmanager
def answers() -> Iterator[Case]:
    """A relay answers what it likes to any question of a device in any state."""
    told = story.tell()
    pairs = told.sampled_asked()
    with signatures_hold():
        devices = [Fed(device) for device in told.devices]
        genuine = [encode(Answer(1, answer)) for _, answer in pairs]

        def build(data: bytes) -> tuple[Fed, ClientFrame, bytes]:
            steps = Script(data)
            device = devices[steps.byte() % len(devices)]
            request, _ = pairs[steps.byte() % len(pairs)]
            return device, request, script.message(steps, genuine)

        def read(built: tuple[Fed, ClientFrame, bytes]) -> object:
            device, request, answered = built
            if not may_ask(device.device, request):
                return None
            frame = decode(answered, Answer, size_max=FRAME_MAX).frame
            if isinstance(frame, Challenge):
                return device.feed(inputs.Challenged(frame, ORIGIN))
            return device.feed(inputs.RelayAnswered(request, frame))

        found = [bytes([n]) + script.plain(n) for n in range(len(pairs))]
        yield Case(
            build, read, [bytes([device]) + one for device in range(len(devices)) for one in found]
        )


def may_ask(device: WorldDevice, request: ClientFrame) -> bool:
    """Whether a device in its state can have asked this; an answer belongs to a question."""
    own = device.own_or_none
    if own is None:
        return isinstance(request, LINK_REQUESTS)
    if own.state is State.REGISTERING:
        return isinstance(request, Register)
    if own.state is State.RECOVERING:
        return isinstance(request, Recover | ResolveName | FetchLists)
    return not isinstance(request, Register | Recover)


class Peer(NamedTuple):
    """A device that has a session with ``receiver``, and seals in it what the fuzzer wants."""

    receiver: Fed
    account: AccountId
    device: DeviceNumber
    book: Sessions
    ends: Ends
    contents: list[bytes]

    @classmethod
    def between(cls, sender: WorldDevice, receiver: Fed) -> Peer:
        """Take the session that the sender has with the receiver now."""
        to = receiver.device.own
        with sender.database.transaction():
            context = Context(sender.database, sender.now, _draw)
            own, newest = context.own, directory.held_list(context, to.account_id)
            assert newest is not None
            certificate = newest.device(to.device)
            assert certificate is not None
            row = peers.find_or_add(sender.database, certificate).row
            key = PeerKey(row, to.account_id, to.device)
            seed, party = own.secrets.agreement_seed, party_of(certificate)
            book = sessions.load_book(sender.database, key)
            ends = Ends.between(own_party(context), seed, party)
        other = to.account_id if own.account_id != to.account_id else AccountId(b"\xff" * 16)
        said = [encode(one) for one in contents(own.account_id, other, (newest.signed,))]
        return cls(receiver, own.account_id, own.device, book, ends, said)

    def entry(self, steps: Script) -> Entry:
        """Seal a changed content under a changed key record: correct on the outside."""
        plaintext = script.message(steps, self.contents)[:WORDS_MAX]
        sealed = seal_body(plaintext, _draw)
        key = encode(BodyKey(bytes(sealed.body_key), sealed.body_hash, HEAD))
        payload = script.message(steps, [key]) if steps.byte() % 4 == 1 else key
        _, header = session_book.seal(self.book, payload, self.ends, _draw)
        stamp = Stamp(9, 9)
        message_id = MessageId(plaintext[1:17] if steps.byte() else b"i" * 16)
        now = self.receiver.device.now
        return Entry(stamp, self.account, self.device, now, message_id, header, sealed.sealed)


@contextmanager
def words() -> Iterator[Case]:
    """A peer, own or not, known or a stranger, says what it likes in a session that holds."""
    told = story.tell()
    with signatures_hold(), same_encapsulations():
        bob, desktop = Fed(told.bob), Fed(told.desktop)
        speakers = [
            *(Peer.between(one, bob) for one in (told.tablet, told.desktop, told.carol)),
            *(Peer.between(one, desktop) for one in (told.bob, told.tablet)),
        ]

        def build(data: bytes) -> tuple[Fed, Deliveries]:
            steps = Script(data)
            speaker = speakers[steps.byte() % len(speakers)]
            mail = Deliveries((speaker.entry(steps),), remaining=steps.byte() % 2)
            return speaker.receiver, mail

        def read(built: tuple[Fed, Deliveries]) -> object:
            receiver, mail = built
            return receiver.feed(inputs.RelayPushed(mail))

        kinds = range(len(speakers[0].contents))
        yield Case(
            build, read, [bytes([n]) + script.plain(k) for n in range(len(speakers)) for k in kinds]
        )
