"""The honest history of Alice's devices, for the device list vectors."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vectors.identity_builder import (
    COMPANION,
    DAY_MS,
    PRIMARY,
    START_MS,
    Account,
    Device,
    account,
    certificate,
    device,
    list_hash,
    pack,
    sign_list,
)

ALICE, MALLORY = account("alice"), account("mallory")
PHONE, NEW_PHONE, STOLEN_PHONE = device("phone"), device("new phone"), device("stolen phone")
LAPTOP, TABLET, DESKTOP = device("laptop"), device("tablet"), device("desktop")

PHONE_0 = certificate(ALICE, 0, PRIMARY, 0, PHONE)
LAPTOP_1 = certificate(ALICE, 1, COMPANION, 0, LAPTOP)
TABLET_2 = certificate(ALICE, 2, COMPANION, 0, TABLET)
PHONE_1024 = certificate(ALICE, 1024, PRIMARY, 1, NEW_PHONE)
DESKTOP_1025 = certificate(ALICE, 1025, COMPANION, 0, DESKTOP)
PHONE_1024_AGAIN = certificate(ALICE, 1024, PRIMARY, 2, NEW_PHONE)


@dataclass(frozen=True)
class Draft:
    """What goes into a list, before it is encoded and signed."""

    generation: int
    version: int
    previous: bytes
    day: float
    next_number: int
    certificates: list[list[bytes]]
    signer: Device
    owner: Account = ALICE
    lease_days: float = 30

    @property
    def fields(self) -> list[object]:
        """The array of the body."""
        issued_at = START_MS + int(self.day * DAY_MS)
        return [
            self.owner.id,
            self.generation,
            self.version,
            self.previous,
            issued_at,
            issued_at + int(self.lease_days * DAY_MS),
            self.next_number,
            self.certificates,
        ]

    @property
    def body(self) -> bytes:
        """The encoded body."""
        return pack(self.fields)

    @property
    def signed(self) -> list[bytes]:
        """Body and signature."""
        return sign_list(self.body, self.signer)

    @property
    def hash(self) -> bytes:
        """What the next list names."""
        return list_hash(self.body)


def after(draft: Draft, **changes: object) -> Draft:
    """Return the next list, a day later, with changes."""
    following = replace(draft, version=draft.version + 1, previous=draft.hash, day=draft.day + 1)
    return replace(following, **changes)  # type: ignore[arg-type]


def history() -> dict[str, Draft]:
    """Return the honest lists of Alice, by name, ascending."""
    first = Draft(0, 1, bytes(32), 0, 1, [PHONE_0], PHONE)
    second = after(first, certificates=[PHONE_0, LAPTOP_1], next_number=2)
    third = after(second, certificates=[PHONE_0, LAPTOP_1, TABLET_2], next_number=3)
    fourth = after(third, certificates=[PHONE_0, TABLET_2])
    renewed = after(fourth)
    recovered = Draft(1, 1, renewed.hash, 5, 1025, [TABLET_2, PHONE_1024], NEW_PHONE)
    linked = after(recovered, certificates=[TABLET_2, PHONE_1024, DESKTOP_1025], next_number=1026)
    same_phone = Draft(
        2, 1, linked.hash, 7, 2048, [TABLET_2, PHONE_1024_AGAIN, DESKTOP_1025], NEW_PHONE
    )
    return {
        "phone alone": first,
        "laptop linked": second,
        "tablet linked": third,
        "laptop logged out": fourth,
        "renewed": renewed,
        "new phone": recovered,
        "desktop linked": linked,
        "same phone recovered": same_phone,
    }
