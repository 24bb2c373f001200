"""A device that its account's owner never admitted, and that reads whatever is sealed for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from msgspec import structs
from tests.attacks.lying_relay import answering, served_lists
from tests.attacks.wiretap import CopyFor, Wiretap
from tests.world import World, WorldDevice
from tests.world_relay import Link

from untether.base.identifiers import AccountId, DeviceNumber
from untether.base.limits import BODY_MAX, HEADER_MAX, LIST_BODY_MAX
from untether.device.context import Context
from untether.device.parties import own_party
from untether.protocol.body import open_body
from untether.protocol.identity.certificate import Role, issue_certificate_body, sign_as_device
from untether.protocol.identity.device_list import DeviceListBody, device_list_hash, sign_list
from untether.protocol.identity.keys import DeviceSecrets
from untether.protocol.pairwise import prekeys, session_book
from untether.protocol.pairwise.parties import Ends, Party
from untether.protocol.pairwise.prekeys import PrekeyPairSecret
from untether.protocol.pairwise.session_book import Arrival
from untether.wire import codec
from untether.wire.client_frames import ClaimPrekeys, ClientFrame, Submit
from untether.wire.content import BodyKey, Content, Text
from untether.wire.records import (
    AccountLists,
    ListHead,
    PrekeyBundle,
    SignedCertificate,
    SignedObject,
)
from untether.wire.server_frames import (
    Accepted,
    AccountRefused,
    Bundles,
    Lists,
    ListsChanged,
    ServerFrame,
    Submitted,
)

Verdict = Accepted | ListsChanged | AccountRefused


@dataclass(frozen=True)
class Ghost:
    """Keys of nobody's device under the name of a victim's; it can sign as itself only."""

    world: World
    victim: WorldDevice
    number: DeviceNumber
    secrets: DeviceSecrets
    rotating: PrekeyPairSecret

    @classmethod
    def of(cls, victim: WorldDevice) -> Ghost:
        """Make a ghost under the next number of somebody's account."""
        world = victim.world
        body = _newest_body(victim)
        secrets = DeviceSecrets.generate(world.randomness)
        rotating = prekeys.generate_rotating(0, world.now, world.randomness)
        return cls(world, victim, body.next_number, secrets, rotating)

    @property
    def party(self) -> Party:
        """The ghost as senders see it who believe in it."""
        keys = self.secrets.public_keys
        account_key = self.victim.own.account_key
        return Party(account_key, self.number, keys.signing_key, keys.agreement_key)

    def certificate(self) -> SignedCertificate:
        """Certify itself; nobody has the account key, so that signature is a guess."""
        body = issue_certificate_body(
            account_key=self.victim.own.account_key,
            device=self.number,
            role=Role.COMPANION,
            generation=0,
            keys=self.secrets.public_keys,
        )
        own_signature = sign_as_device(self.secrets.signing_seed, body, self.victim.own.account_key)
        return SignedCertificate(body, bytes(64), own_signature)

    def bundle(self) -> PrekeyBundle:
        """Prekeys as the relay hands them out for it."""
        signed = prekeys.sign(self.rotating, self.party, self.secrets.signing_seed)
        return PrekeyBundle(self.number, signed, None)

    def reads(self, wiretap: Wiretap) -> list[str]:
        """Return the texts of all messages that were sealed for it."""
        copies = wiretap.copies_for(self.victim.own.account_id, self.number)
        return [self._read(one) for one in copies]

    def _read(self, copy: CopyFor) -> str:
        with copy.sender.database.transaction():
            sender = own_party(Context(copy.sender.database, self.world.now, bytes))
        ends = Ends.between(self.party, self.secrets.agreement_seed, sender)
        arrival = Arrival(ends, OnePair(self.rotating), self.world.now, self.world.randomness)
        opened = session_book.open_message((), copy.header, arrival)
        key = codec.decode(opened.payload, BodyKey, size_max=HEADER_MAX)
        plaintext = open_body(copy.body, body_key=key.body_key, body_hash=key.body_hash)
        kind = codec.decode(plaintext, Content, size_max=BODY_MAX).kind
        return kind.text if isinstance(kind, Text) else type(kind).__name__


@dataclass(frozen=True)
class OnePair:
    """A shelf with one rotating prekey pair."""

    rotating: PrekeyPairSecret

    def rotating_prekey(self, prekey_id: bytes) -> PrekeyPairSecret | None:
        """Return the pair if it is meant."""
        return self.rotating if prekey_id == self.rotating.id else None

    def one_time_prekey(self, prekey_id: bytes) -> None:
        """There is none."""
        return

    def base_key_used(self, rotating_id: bytes, base_key: bytes) -> bool:
        """Nothing is remembered."""
        return False

    def skipped_key(self, session_id: bytes, ratchet_key: bytes, number: int) -> None:
        """Nothing was skipped."""
        return


def _newest_body(phone: WorldDevice) -> DeviceListBody:
    signed = served_lists(phone.world, phone.own.account_id).lists[-1]
    return codec.decode(signed.body, DeviceListBody, size_max=LIST_BODY_MAX)


def list_with(
    phone: WorldDevice, added: SignedCertificate, seed: bytes = bytes(32)
) -> SignedObject:
    """Write the list that follows a phone's newest, with one more device; sign by any key."""
    newest, body = served_lists(phone.world, phone.own.account_id).lists[-1], _newest_body(phone)
    following = structs.replace(
        body,
        version=body.version + 1,
        previous_hash=device_list_hash(newest.body),
        next_number=DeviceNumber(body.next_number + 1),
        certificates=(*body.certificates, added),
    )
    return sign_list(following, seed)


@contextmanager
def inject_device(ghost: Ghost, forged: SignedObject) -> Iterator[None]:
    """Serve a list with a ghost on it wherever the lists of its account are served.

    Whoever believes it gets the ghost's prekeys, and hears that the message was accepted.
    """
    world, account = ghost.world, ghost.victim.own.account_id
    body = codec.decode(forged.body, DeviceListBody, size_max=LIST_BODY_MAX)
    head = ListHead(body.generation, body.version, device_list_hash(forged.body))
    shown = AccountLists(ghost.victim.own.name, (forged,))

    def judge(verdict: Verdict, named: dict[AccountId, ListHead]) -> Verdict:
        if verdict.account_id != account:
            return verdict
        if named[account] == head:
            return Accepted(account, world.now)
        return ListsChanged(account, shown)

    def lie(_link: Link, request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        match request, answer:
            case _, Lists(account_id) if account_id == account:
                return Lists(account, shown)
            case ClaimPrekeys(account_id, devices), Bundles(bundles) if account_id == account:
                own = (ghost.bundle(),) if ghost.number in devices else ()
                return Bundles((*bundles, *own))
            case Submit(_, _, recipients), Submitted(message_id, verdicts):
                named = {one.account_id: one.head for one in recipients}
                return Submitted(message_id, tuple(judge(one, named) for one in verdicts))
        return answer

    with answering(world, lie):
        yield
