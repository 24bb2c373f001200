"""People with devices that speak real frames over real sockets, and relays to speak to."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from itertools import count
from secrets import token_bytes
from typing import TypeVar

from tests.unit.identity.identity_people import Person

from untether.adapters.transport.websocket import WebSocketConnection, WebSocketConnector
from untether.base.identifiers import DeviceNumber, MessageId, UnixMillis
from untether.base.limits import FRAME_MAX
from untether.protocol.identity.certificate import DeviceCertificate, Role
from untether.protocol.identity.keys import DeviceSecrets
from untether.protocol.identity.login import LoginStatement, sign_login
from untether.protocol.identity.next_list import allocate_number
from untether.protocol.pairwise import prekeys
from untether.protocol.pairwise.parties import Party
from untether.wire.client_frames import (
    ClientFrame,
    Copy,
    Login,
    PublishLists,
    Recipient,
    Register,
    Request,
    StartReceiving,
    Submit,
)
from untether.wire.codec import decode, encode
from untether.wire.records import PrekeyStock, Stamp
from untether.wire.server_frames import (
    Accepted,
    Answer,
    Challenge,
    Deliveries,
    Done,
    ServerFrame,
    Submitted,
    Welcome,
)

Frame = TypeVar("Frame", bound=ServerFrame)
PATIENCE_S = 10


def real_now() -> UnixMillis:
    """Return the machine's time, by which a running relay judges."""
    return UnixMillis(time.time_ns() // 1_000_000)


class Device:
    """One device of a person, with at most one open socket."""

    def __init__(self, person: Person, keys: DeviceSecrets, certificate: DeviceCertificate) -> None:
        self.person = person
        self.keys = keys
        self.certificate = certificate
        self.pushes: deque[ServerFrame] = deque()
        self._tokens = count(1)
        self._answers: dict[int, ServerFrame] = {}
        self._connection: WebSocketConnection | None = None

    @property
    def connection(self) -> WebSocketConnection:
        """The open socket."""
        assert self._connection is not None
        return self._connection

    async def connect(self, connector: WebSocketConnector) -> Challenge:
        """Open a socket and read the challenge."""
        self.origin = connector.origin
        self.pushes.clear()
        self._connection = await connector.connect()
        self.challenge = await self.push(Challenge)
        return self.challenge

    async def log_in(self, connector: WebSocketConnector) -> ServerFrame:
        """Open a socket and prove the device's key."""
        await self.connect(connector)
        return await self.ask(self.login())

    async def receive_mail(
        self, connector: WebSocketConnector, acknowledged: Stamp | None = None
    ) -> Deliveries:
        """Log in, become the receiving socket, and take the first push."""
        assert isinstance(await self.log_in(connector), Welcome)
        assert isinstance(await self.ask(StartReceiving(acknowledged)), Done)
        return await self.push(Deliveries)

    def login(self, origin: str | None = None) -> Login:
        """Sign a login for the last challenge."""
        statement = LoginStatement(
            relay_id=self.challenge.relay_id,
            origin=origin or self.origin,
            server_nonce=self.challenge.nonce,
            client_nonce=token_bytes(32),
            account_id=self.certificate.account_id,
            device=self.certificate.device,
            counter=1,
        )
        return Login(
            certificate=self.certificate.signed,
            nonce=statement.client_nonce,
            origin=statement.origin,
            counter=statement.counter,
            signature=sign_login(self.keys.signing_seed, statement),
        )

    async def send(self, frame: ClientFrame, token: int | None = None) -> int:
        """Send a request without waiting; returns its token."""
        token = next(self._tokens) if token is None else token
        await self.connection.send(encode(Request(token, frame)))
        return token

    async def ask(self, frame: ClientFrame) -> ServerFrame:
        """Send a request and wait for its answer."""
        return await self.answer(await self.send(frame))

    async def answer(self, token: int) -> ServerFrame:
        """Wait for the answer to a request; pushes on the way are kept."""
        while token not in self._answers:
            await self._take_one()
        return self._answers.pop(token)

    async def push(self, kind: type[Frame]) -> Frame:
        """Wait for the next push, which must be of this kind."""
        while not self.pushes:
            await self._take_one()
        frame = self.pushes.popleft()
        assert isinstance(frame, kind), frame
        return frame

    async def take_mail(self, entries: int) -> list[bytes]:
        """Collect pushed message ids until there are so many."""
        taken: list[bytes] = []
        while len(taken) < entries:
            taken += [entry.message_id for entry in (await self.push(Deliveries)).entries]
        return taken

    async def _take_one(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            received = await self.connection.receive()
        answer = decode(received, Answer, size_max=FRAME_MAX)
        if answer.token:
            self._answers[answer.token] = answer.frame
        else:
            self.pushes.append(answer.frame)

    def letter(self, *recipients: Device, body: bytes = b"sealed", number: int = 0) -> Submit:
        """Make a submission to other accounts, sealed for their newest lists."""
        return Submit(
            message_id=MessageId(token_bytes(8) + number.to_bytes(8, "big")),
            body=body,
            recipients=tuple(
                Recipient(
                    account_id=one.certificate.account_id,
                    head=one.person.newest.head,
                    copies=tuple(
                        Copy(listed.device, b"header") for listed in one.person.newest.devices
                    ),
                )
                for one in recipients
            ),
        )

    async def write(self, recipient: Device, body: bytes = b"sealed") -> bytes:
        """Submit one message, check that it is durable, and return its id."""
        letter = self.letter(recipient, body=body)
        answer = await self.ask(letter)
        assert isinstance(answer, Submitted), answer
        assert all(isinstance(verdict, Accepted) for verdict in answer.verdicts), answer
        return letter.message_id

    def stock(self) -> PrekeyStock:
        """Make a rotating prekey pair."""
        owner = Party(
            self.person.account_key,
            self.certificate.device,
            self.keys.signing_key,
            self.keys.agreement_key,
        )
        pair = prekeys.generate_rotating(0, self.person.now, token_bytes)
        return PrekeyStock(prekeys.sign(pair, owner, self.keys.signing_seed))

    def registration(self, invitation: str | None = None) -> Register:
        """Ask for a new account."""
        return Register(self.person.name, tuple(self.person.run), self.stock(), invitation)


def make_phone(name: str) -> Device:
    """Make a person with a phone, as of now."""
    person = Person(name, now=real_now())
    return Device(person, person.phone, person.newest.primary)


async def register(connector: WebSocketConnector, name: str) -> Device:
    """Register a person over a socket of its own."""
    phone = make_phone(name)
    await phone.connect(connector)
    answer = await phone.ask(phone.registration())
    assert isinstance(answer, Done), answer
    await phone.connection.close()
    return phone


async def link(phone: Device) -> Device:
    """List a new companion through the phone's logged-in socket."""
    person = phone.person
    keys = person.new_device()
    number = DeviceNumber(allocate_number(person.newest))
    companion = Device(person, keys, person.certify(keys, number, Role.COMPANION))
    person.publish(add=companion.certificate)
    answer = await phone.ask(
        PublishLists((person.newest.signed,), device=number, prekeys=companion.stock())
    )
    assert isinstance(answer, Done), answer
    return companion
