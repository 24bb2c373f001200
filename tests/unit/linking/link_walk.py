"""Alice, her phone and the laptop that she links, walked step by step."""

import hashlib
from dataclasses import dataclass

from untether.base.identifiers import DAY_MS, DeviceNumber, RelayId, UnixMillis
from untether.base.randomness import Randomness
from untether.crypto.provider import provider
from untether.protocol.identity.certificate import (
    DeviceCertificate,
    Role,
    issue_certificate_body,
    sign_as_account,
    sign_as_device,
    verify_certificate,
)
from untether.protocol.identity.device_list import DeviceList, open_list, sign_list
from untether.protocol.identity.keys import DeviceSecrets
from untether.protocol.identity.next_list import allocate_number, first_list_body, next_list_body
from untether.protocol.linking import companion, phone
from untether.protocol.linking.companion import CompanionLink
from untether.protocol.linking.phone import PhoneLink
from untether.wire.content import DeviceNotice
from untether.wire.link_offer import LinkIndex
from untether.wire.records import PrekeyStock, SignedCertificate, SignedObject, SignedPrekey

NOW = UnixMillis(1_790_000_000_000)
RELAY_ID = RelayId(b"alice's relay id")
RELAY_ADDRESS = "https://relay.example.org"
PREKEYS = PrekeyStock(SignedPrekey(b"prekey body", bytes(64)))


def seeded(name: str) -> Randomness:
    """Return reproducible randomness, another stream for each name."""
    drawn = 0

    def draw(length: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_128(f"{name} {drawn}".encode()).digest(length)

    return draw


@dataclass
class Alice:
    """An account with its phone; ``lists`` are all that the phone has signed."""

    account_seed: bytes
    secrets: DeviceSecrets
    certificate: DeviceCertificate
    lists: list[DeviceList]

    @property
    def account_key(self) -> bytes:
        """The public account key."""
        return self.certificate.account_key

    @property
    def current(self) -> DeviceList:
        """The newest list."""
        return self.lists[-1]

    def publish(self, added: SignedCertificate | None = None) -> SignedObject:
        """Sign the next list, with a new companion or just renewed."""
        add = verify_certificate(added, self.account_key) if added else None
        body = next_list_body(self.current, now=NOW, lease_ms=DAY_MS, add=add)
        signed = sign_list(body, self.secrets.signing_seed)
        self.lists.append(open_list(signed, self.account_key))
        return signed

    def certify(self, keys: DeviceSecrets, number: DeviceNumber, role: Role) -> SignedCertificate:
        """Make a complete certificate of a device whose secrets are at hand."""
        body = issue_certificate_body(
            account_key=self.account_key,
            device=number,
            role=role,
            generation=0,
            keys=keys.public_keys,
        )
        return SignedCertificate(
            body=body,
            account_signature=sign_as_account(self.account_seed, body),
            device_signature=sign_as_device(keys.signing_seed, body, self.account_key),
        )

    def notices(self) -> tuple[DeviceNotice, ...]:
        """Tell what the present devices are."""
        return tuple(
            DeviceNotice(device.device, device.hash, "Alice's device", "phone", NOW)
            for device in self.current.devices
        )


def make_account(name: str) -> Alice:
    """Register an account whose keys follow from a name."""
    randomness = seeded(name)
    account_seed = randomness(32)
    account_key = provider().ed25519_public(account_seed)
    secrets = DeviceSecrets.generate(randomness)
    body = issue_certificate_body(
        account_key=account_key,
        device=DeviceNumber(0),
        role=Role.PRIMARY,
        generation=0,
        keys=secrets.public_keys,
    )
    signed = SignedCertificate(
        body=body,
        account_signature=sign_as_account(account_seed, body),
        device_signature=sign_as_device(secrets.signing_seed, body, account_key),
    )
    certificate = verify_certificate(signed, account_key)
    first = sign_list(first_list_body(certificate, NOW, DAY_MS), secrets.signing_seed)
    return Alice(account_seed, secrets, certificate, [open_list(first, account_key)])


class Linking:
    """One link between a phone and a laptop, walked step by step; both ends stay visible."""

    def __init__(self, alice: Alice, name: str = "laptop") -> None:
        self.alice = alice
        self.randomness = seeded(f"link {name}")
        self.offer_keys(DeviceSecrets.generate(self.randomness))

    def offer_keys(self, secrets: DeviceSecrets) -> None:
        """Let the laptop offer these keys and the phone scan its text."""
        self.laptop = companion.prepare(
            secrets,
            relay_address=RELAY_ADDRESS,
            relay_id=RELAY_ID,
            name="Alice's laptop",
            kind="desktop",
            now=NOW,
            randomness=self.randomness,
        )
        self.offer = self.carried(self.laptop, LinkIndex.OFFER)
        self.laptop = companion.slot_opened(self.laptop)
        self.phone = self.scanned()

    def scanned(self) -> PhoneLink:
        """Let the phone scan the text that the laptop shows."""
        return phone.scan(
            self.laptop.text,
            own=self.alice.certificate,
            own_list=self.alice.current,
            relay_id=RELAY_ID,
            randomness=self.randomness,
        )

    def carried(self, side: PhoneLink | CompanionLink, index: LinkIndex) -> bytes:
        """Return the item that a side puts into the slot, and check its place."""
        assert side.outgoing is not None
        assert side.outgoing[0] == index
        return side.outgoing[1]

    def until_offer_read(self) -> "Linking":
        """Let the phone read the offer."""
        self.phone = phone.read_offer(self.phone, self.offer, NOW, self.randomness)
        return self

    def until_verifying(self) -> "Linking":
        """Let Alice approve on the phone."""
        self.until_offer_read()
        number = allocate_number(self.alice.current)
        self.phone = phone.approve(self.phone, self.alice.current, number)
        return self

    def until_phone_answered(self) -> bytes:
        """Let Alice verify herself; returns the answer as it lies in the slot."""
        self.until_verifying()
        assert self.phone.certificate_body is not None
        signature = sign_as_account(self.alice.account_seed, self.phone.certificate_body)
        self.phone = self.answer(signature)
        return self.carried(self.phone, LinkIndex.ANSWER)

    def answer(self, account_signature: bytes) -> PhoneLink:
        """Seal the answer with a given account signature."""
        return phone.answer(
            self.phone,
            account_signature,
            account_name="alice",
            phone_name="Alice's phone",
            current_list=self.alice.current.signed,
            notices=self.alice.notices(),
            randomness=self.randomness,
        )

    def until_answered(self) -> "Linking":
        """Let the laptop read the answer."""
        return self.read_answer(self.until_phone_answered())

    def read_answer(self, item: bytes) -> "Linking":
        """Let the laptop read an answer that the phone has put into the slot."""
        self.laptop = companion.read_answer(self.laptop, item, NOW, self.randomness)
        return self

    def until_laptop_accepted(self) -> bytes:
        """Let Alice say “yes, mine” on the laptop; returns the acceptance."""
        return self.until_answered().accept()

    def accept(self) -> bytes:
        """Say “yes, mine” on the laptop, which has read the answer; returns the acceptance."""
        self.laptop = companion.accept(self.laptop, PREKEYS, self.randomness)
        return self.carried(self.laptop, LinkIndex.ACCEPTANCE)

    def until_accepted(self) -> "Linking":
        """Let the phone read the acceptance."""
        return self.until_accepted_by(self.until_phone_answered())

    def until_accepted_by(self, answer: bytes) -> "Linking":
        """Let the laptop read and accept this answer, and the phone read the acceptance."""
        item = self.read_answer(answer).accept()
        self.phone = phone.read_acceptance(self.phone, item, self.randomness)
        return self

    def until_admitted(self) -> bytes:
        """Let the phone publish the list; returns the result."""
        self.until_accepted()
        signed = self.alice.publish(self.phone.certificate)
        self.phone = phone.admit(self.phone, (signed,), self.randomness)
        return self.carried(self.phone, LinkIndex.RESULT)
