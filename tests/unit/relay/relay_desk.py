"""A relay without sockets, and people whose devices ask it, for tests of its decisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from tests.unit.identity.identity_people import NOW, Person, seeded

from untether.base.identifiers import AccountId, DeviceAddress, MessageId, RelayId, UnixMillis
from untether.base.randomness import Randomness
from untether.protocol.identity.certificate import DeviceCertificate, Role
from untether.protocol.identity.keys import DeviceSecrets
from untether.protocol.identity.login import LoginStatement, sign_login
from untether.protocol.identity.next_list import allocate_number
from untether.protocol.pairwise import prekeys
from untether.protocol.pairwise.parties import Party
from untether.relay.budgets import Budgets
from untether.relay.delivery import next_deliveries
from untether.relay.outcome import Effect
from untether.relay.principals import Bearer, Device, Guest, Principal
from untether.relay.requests import handle
from untether.relay.session import RelayRules, RelaySession
from untether.relay.transaction import RelayStore
from untether.wire.client_frames import (
    ClientFrame,
    Copy,
    Login,
    PublishLists,
    Recipient,
    Register,
    Submit,
    SubmitDirect,
)
from untether.wire.records import ListHead, PrekeyStock, Stamp
from untether.wire.server_frames import Deliveries, Done, ServerFrame, Submitted

ORIGIN = "https://relay.example.org"
RELAY_ID = RelayId(b"relay of alice's")
HEADER = b"sealed header"
BODY = b"sealed body" * 20

Frame = TypeVar("Frame", bound=ServerFrame)


@dataclass
class RelayDesk:
    """Sessions of one relay; time stands still unless a test moves ``now``."""

    store: RelayStore
    rules: RelayRules = field(default_factory=lambda: RelayRules(RELAY_ID, frozenset({ORIGIN})))
    budgets: Budgets = field(default_factory=Budgets)
    now: UnixMillis = NOW
    effects: list[Effect] = field(default_factory=list)
    randomness: Randomness = field(default_factory=lambda: seeded("relay"))

    def session(self, principal: Principal) -> RelaySession:
        """Open a connection."""
        nonce = self.randomness(32)
        return RelaySession(self.rules, self.budgets, nonce, principal)

    async def ask(self, session: RelaySession, frame: ClientFrame) -> ServerFrame:
        """Handle one frame; its effects are kept in ``effects``."""
        outcome = await handle(self.store, session, frame, self.now, self.randomness)
        self.effects = list(outcome.effects)
        return outcome.answer

    async def ask_as_guest(self, frame: ClientFrame, peer: str = "192.0.2.1") -> ServerFrame:
        """Ask on a connection that has not logged in."""
        return await self.ask(self.session(Guest(peer)), frame)

    def pass_time(self, milliseconds: int) -> None:
        """Let time go on."""
        self.now = UnixMillis(self.now + milliseconds)


class RelayDevice:
    """One device of a person; it asks as a logged-in device unless told otherwise."""

    def __init__(
        self, desk: RelayDesk, person: Person, keys: DeviceSecrets, certificate: DeviceCertificate
    ) -> None:
        self.desk = desk
        self.person = person
        self.keys = keys
        self.certificate = certificate
        self.session = desk.session(Device(certificate.address))
        self.secret_pairs: list[prekeys.PrekeyPairSecret] = []
        self.randomness = seeded(f"{person.name} {certificate.device}")
        self.rotations = 0

    @property
    def address(self) -> DeviceAddress:
        """Account id and device number."""
        return self.certificate.address

    @property
    def account_id(self) -> AccountId:
        """The account's id."""
        return self.certificate.account_id

    async def ask(self, frame: ClientFrame) -> ServerFrame:
        """Ask as the logged-in device."""
        return await self.desk.ask(self.session, frame)

    async def ask_as_bearer(self, frame: ClientFrame) -> ServerFrame:
        """Ask as the holder of a certified key that is not on the list."""
        return await self.desk.ask(self.desk.session(Bearer(self.address)), frame)

    async def read(self, after: Stamp | None = None, window: int = 256) -> Deliveries:
        """Read the own mailbox."""
        return await next_deliveries(self.desk.store, self.address, after, window)

    def stock(self, one_time: int = 2) -> PrekeyStock:
        """Make a rotating pair and fresh one-time pairs."""
        keys = self.certificate
        owner = Party(keys.account_key, keys.device, keys.signing_key, keys.agreement_key)
        seed = self.keys.signing_seed
        self.rotations += 1
        rotating = prekeys.generate_rotating(
            self.rotations + self.desk.now // 1000, self.desk.now, self.randomness
        )
        fresh = [prekeys.generate_one_time(self.desk.now, self.randomness) for _ in range(one_time)]
        return PrekeyStock(
            rotating=prekeys.sign(rotating, owner, seed),
            one_time=tuple(prekeys.sign(pair, owner, seed) for pair in fresh),
        )

    def login(self, session: RelaySession, *, origin: str = ORIGIN, counter: int = 1) -> Login:
        """Sign a login for a connection's challenge."""
        statement = LoginStatement(
            relay_id=RELAY_ID,
            origin=origin,
            server_nonce=session.nonce,
            client_nonce=self.randomness(32),
            account_id=self.account_id,
            device=self.certificate.device,
            counter=counter,
        )
        return Login(
            certificate=self.certificate.signed,
            nonce=statement.client_nonce,
            origin=origin,
            counter=counter,
            signature=sign_login(self.keys.signing_seed, statement),
        )

    async def log_in(self, counter: int = 1) -> ServerFrame:
        """Log in on a new connection, on which the device asks from then on."""
        guest = self.desk.session(Guest("192.0.2.1"))
        outcome = await handle(
            self.desk.store,
            guest,
            self.login(guest, counter=counter),
            self.desk.now,
            self.desk.randomness,
        )
        self.session = outcome.session
        return outcome.answer

    def submit(
        self,
        *recipients: Recipient,
        body: bytes = BODY,
        message_id: bytes | None = None,
    ) -> Submit:
        """Make a submission with a fresh message id."""
        return Submit(MessageId(message_id or self.randomness(16)), body, recipients)

    def submit_direct(self, to: RelayDevice, head: ListHead | None = None) -> SubmitDirect:
        """Make a control message for one device."""
        return SubmitDirect(
            message_id=MessageId(self.randomness(16)),
            body=BODY,
            account_id=to.account_id,
            head=head or to.person.newest.head,
            device=to.certificate.device,
            header=HEADER,
        )

    async def send(self, to: Person, header: bytes = HEADER, body: bytes = BODY) -> ServerFrame:
        """Submit one message to all devices of a person's newest list."""
        return await self.ask(self.submit(sealed_for(to, self, header=header), body=body))


def sealed_for(
    person: Person,
    sender: RelayDevice | None = None,
    *,
    header: bytes = HEADER,
    head: ListHead | None = None,
) -> Recipient:
    """Return one copy for each device of the newest list but the sender itself."""
    newest = person.newest
    own = sender.address if sender else None
    return Recipient(
        newest.account_id,
        head or newest.head,
        tuple(Copy(one.device, header) for one in newest.devices if one.address != own),
    )


def make_phone(desk: RelayDesk, name: str) -> RelayDevice:
    """Make a person and their phone; the relay does not know them yet."""
    person = Person(name)
    return RelayDevice(desk, person, person.phone, person.newest.primary)


def registration(phone: RelayDevice, invitation: str | None = None) -> Register:
    """Return the frame that admits the account."""
    person = phone.person
    return Register(person.name, tuple(person.run), phone.stock(), invitation)


async def register(desk: RelayDesk, name: str) -> RelayDevice:
    """Register a person with a phone."""
    phone = make_phone(desk, name)
    answer = await desk.ask_as_guest(registration(phone), peer=name)
    assert isinstance(answer, Done), answer
    return phone


def make_companion(phone: RelayDevice) -> RelayDevice:
    """Certify a companion; no list names it yet."""
    person = phone.person
    keys = person.new_device()
    certificate = person.certify(keys, allocate_number(person.newest), Role.COMPANION)
    return RelayDevice(phone.desk, person, keys, certificate)


async def link(phone: RelayDevice) -> RelayDevice:
    """Link a companion: its list and prekeys are published together."""
    companion = make_companion(phone)
    signed = phone.person.publish(add=companion.certificate).signed
    answer = await phone.ask(
        PublishLists((signed,), companion.certificate.device, companion.stock())
    )
    assert isinstance(answer, Done), answer
    return companion


async def log_out(phone: RelayDevice, companion: RelayDevice) -> ServerFrame:
    """Publish a list without a companion."""
    signed = phone.person.publish(remove=[companion.certificate.device]).signed
    return await phone.ask(PublishLists((signed,)))


def only(answer: ServerFrame) -> object:
    """Return the one verdict of a submission."""
    assert isinstance(answer, Submitted), answer
    (verdict,) = answer.verdicts
    return verdict
