"""Alice and other people with their devices, for tests of identities."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field

from untether.base.identifiers import DAY_MS, DeviceNumber, UnixMillis
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
from untether.protocol.identity.device_list import DeviceList, DeviceListBody, open_list, sign_list
from untether.protocol.identity.keys import DeviceSecrets
from untether.protocol.identity.next_list import (
    allocate_number,
    first_list_body,
    first_number_of_generation,
    next_list_body,
    recovered_list_body,
)
from untether.wire.records import SignedCertificate, SignedObject

NOW = UnixMillis(1_790_000_000_000)


def seeded(name: str) -> Randomness:
    """Return reproducible randomness, another stream for each name."""
    drawn = 0

    def draw(length: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_128(f"identity {name} {drawn}".encode()).digest(length)

    return draw


def device_secrets(name: str) -> DeviceSecrets:
    """Return the keys of a device by its name."""
    return DeviceSecrets.generate(seeded(f"device {name}"))


@dataclass
class Person:
    """An honest owner: the account key, the current phone, and every list ever signed."""

    name: str
    phone: DeviceSecrets = field(init=False)
    lists: list[DeviceList] = field(default_factory=list)
    now: UnixMillis = NOW
    made: int = 0

    def __post_init__(self) -> None:
        self.account_seed = seeded(f"account {self.name}")(32)
        self.account_key = provider().ed25519_public(self.account_seed)
        self.phone = self.new_device()
        certificate = self.certify(self.phone, DeviceNumber(0), Role.PRIMARY)
        self.sign(first_list_body(certificate, self.now, 30 * DAY_MS))

    @property
    def newest(self) -> DeviceList:
        """The list signed last."""
        return self.lists[-1]

    @property
    def run(self) -> list[SignedObject]:
        """All signed lists, ascending."""
        return [one.signed for one in self.lists]

    def new_device(self) -> DeviceSecrets:
        """Draw the keys of one more device."""
        self.made += 1
        return device_secrets(f"{self.name} {self.made}")

    def certify(
        self, keys: DeviceSecrets, number: DeviceNumber, role: Role, generation: int = 0
    ) -> DeviceCertificate:
        """Make a complete certificate."""
        body = issue_certificate_body(
            account_key=self.account_key,
            device=number,
            role=role,
            generation=generation,
            keys=keys.public_keys,
        )
        signed = SignedCertificate(
            body=body,
            account_signature=sign_as_account(self.account_seed, body),
            device_signature=sign_as_device(keys.signing_seed, body, self.account_key),
        )
        return verify_certificate(signed, self.account_key)

    def companion(self) -> DeviceCertificate:
        """Certify a new companion under the next number."""
        return self.certify(self.new_device(), allocate_number(self.newest), Role.COMPANION)

    def sign(self, body: DeviceListBody) -> DeviceList:
        """Sign a list with the current phone and keep it."""
        signed = sign_list(body, self.phone.signing_seed)
        self.lists.append(open_list(signed, self.account_key))
        return self.newest

    def publish(
        self, add: DeviceCertificate | None = None, remove: Collection[DeviceNumber] = ()
    ) -> DeviceList:
        """Sign the next list, an hour later."""
        self.now = UnixMillis(self.now + 3_600_000)
        body = next_list_body(
            self.newest, now=self.now, lease_ms=30 * DAY_MS, add=add, remove=remove
        )
        return self.sign(body)

    def recover(self, kept: Collection[DeviceNumber], *, same_phone: bool = False) -> DeviceList:
        """Start the next generation, on a new phone or on the same one."""
        held, generation = self.newest, self.newest.head.generation + 1
        number = held.primary.device
        if not same_phone:
            self.phone = self.new_device()
            number = first_number_of_generation(generation, DeviceNumber(held.next_number - 1))
        primary = self.certify(self.phone, number, Role.PRIMARY, generation)
        return self.sign(recovered_list_body(held, primary, kept, self.now, 30 * DAY_MS))
