"""What the engine asks the person in front of a tab: each question with its details and answer.

``make tables`` writes the shapes into ``webapp/src/types.ts``.
"""

from __future__ import annotations

from typing import Final, Generic, Literal, NamedTuple, TypeVar

from msgspec import Struct

from untether.adapters.vault import proofs

Details = TypeVar("Details", bound=Struct)
Answer = TypeVar("Answer")


class Question(NamedTuple, Generic[Details, Answer]):
    """One kind of question."""

    name: str
    details: type[Details]
    answer: type[Answer]


class Proof(Struct, frozen=True):
    """What shows that it is the owner; ``device`` where the owner has chosen no lock."""

    method: Literal["passkey", "passphrase", "device"]
    passphrase: str = ""
    prf: str = ""
    credential: str = ""
    salt: str = ""

    @property
    def given(self) -> proofs.Proof | None:
        """The passphrase or the passkey's secret; None without a lock."""
        if self.method == "device":
            return None
        return proofs.Proof(self.method, self.passphrase, self.prf, self.credential, self.salt)


class NewSeal(Struct, frozen=True):
    """Something is to be sealed for the first time: the owner chooses how."""

    purpose: str


class Verification(Struct, frozen=True):
    """The owner is to be verified by one of these ways; ``wrong`` is what failed before."""

    reason: str
    ways: tuple[proofs.Way, ...]
    wrong: str | None


class NewDevice(Struct, frozen=True):
    """A device wants to be linked to this phone's account."""

    device_name: str
    device_kind: str
    device_platform: str


class NewAccount(Struct, frozen=True):
    """A phone wants this device for its account; both show the code."""

    account_name: str
    phone_name: str
    certificate_code: str


class Companion(Struct, frozen=True):
    """A companion of a recovered account, known by its code only."""

    device: int
    code: str


class Recovered(Struct, frozen=True):
    """The companions of an account that comes to a new phone."""

    companions: tuple[Companion, ...]


SEAL: Final = Question("seal", NewSeal, Proof)
VERIFY: Final = Question("verify", Verification, Proof)
MAY_LINK: Final = Question("may_link", NewDevice, bool)
IS_MINE: Final = Question("is_mine", NewAccount, bool)
WHICH_STAY: Final = Question("which_stay", Recovered, list[int])

QUESTIONS: Final = (SEAL, VERIFY, MAY_LINK, IS_MINE, WHICH_STAY)
