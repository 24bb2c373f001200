"""The stage of the story: relay, people, devices, and a ledger of who must have which message."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from untether.base.identifiers import AccountId, short_id
from untether.cli.demo.checks import CheckFailed, together
from untether.cli.demo.devices import Device, Offered
from untether.cli.demo.processes import Line, Processes
from untether.cli.demo.relay import Relay
from untether.cli.demo.report import Report

_ON_THE_WAY = frozenset({"sent", "delivered", "read"})


@dataclass(frozen=True, eq=False)
class Letter:
    """A message that was written: every reader must have it exactly once."""

    message_id: str
    text: str
    author: Device
    to: str
    readers: tuple[Device, ...]
    state: str
    copies: int


class Stage:
    """Everything that the chapters act on."""

    def __init__(self, workspace: Path, processes: Processes, report: Report) -> None:
        self.workspace = workspace
        self.report = report
        self.relay = Relay(processes, workspace / "relay")
        self.letters: list[Letter] = []
        self.security_code = ""
        self.refused: Offered | None = None
        self._processes = processes
        self._members: dict[str, list[Device]] = {}
        self._all: list[Device] = []
        self._short_ids: dict[str, str] = {}

    @property
    def profiles(self) -> Path:
        """The folder of all profiles: the disks of all devices."""
        return self.workspace / "devices"

    @property
    def recovery_file(self) -> Path:
        """Where Alice keeps her recovery code; a person would take paper."""
        return self.workspace / "alice-recovery-code.txt"

    def new_device(self, account: str, kind: str) -> Device:
        """Return a device that belongs to nobody's account yet."""
        profile = self.profiles / f"{account}-{kind.replace(' ', '-')}"
        return Device(self._processes, account, kind, profile)

    def join(self, device: Device, number: int) -> None:
        """The device belongs to its account now."""
        device.number = number
        self._members.setdefault(device.account, []).append(device)
        self._all.append(device)

    def leave(self, device: Device) -> None:
        """The device does not belong to its account any more."""
        self._members[device.account].remove(device)

    def members(self, account: str) -> list[Device]:
        """Return the devices of an account in the order in which they joined it."""
        return list(self._members[account])

    def phone(self, account: str) -> Device:
        """Return the phone of an account; after a recovery it is the newest device."""
        return next(one for one in reversed(self._members[account]) if "phone" in one.kind)

    def accounts(self) -> list[str]:
        """Return the names of all accounts."""
        return list(self._members)

    def everybody(self) -> list[Device]:
        """Return all devices that ever took part."""
        return list(self._all)

    def device(self, account: str, kind: str) -> Device:
        """Return one of the devices of an account."""
        return next(one for one in self._members[account] if one.kind == kind)

    async def register(self, account: str) -> Line:
        """A new person with a phone; returns what the phone printed."""
        phone = self.new_device(account, "phone")
        server = ("--server", self.relay.url, "--device-name", phone.name)
        answer = await phone.ask("register", account, *server)
        expect(answer["device"] == 0, f"{phone.name} has number {answer['device']}, not 0.")
        self._short_ids[account] = short_id(AccountId(bytes.fromhex(answer["account_id"])))
        self.join(phone, 0)
        return answer

    async def write(self, author: Device, to: str, text: str) -> Letter:
        """Write to somebody, whatever becomes of it; the ledger has it now."""
        others = [one for one in self.members(author.account) if one is not author]
        readers = (*self.members(to), *others)
        answer = await author.ask("send", to, "-m", text)
        state, copies = answer["state"], answer["devices"]
        letter = Letter(answer["message_id"], text, author, to, readers, state, copies)
        self.letters.append(letter)
        return letter

    async def send(self, author: Device, to: str, text: str) -> Letter:
        """Write to somebody; every device of both must get a sealed copy at once."""
        letter = await self.write(author, to, text)
        expect(letter.state in _ON_THE_WAY, f"The message is {letter.state}, not sent.")
        expect(
            letter.copies == len(letter.readers),
            f"{letter.copies} copies were sealed for {len(letter.readers)} devices.",
        )
        return letter

    async def arrives(self, *letters: Letter) -> None:
        """Wait until every reader that is switched on has these messages, and look at them."""
        await together(
            *(
                _arrives_at(letter, reader, self._short_ids)
                for letter in letters
                for reader in letter.readers
                if reader.receiver is not None
            )
        )

    def expect_exactly_once(self) -> int:
        """Compare what each device printed with the ledger; returns how many copies there are."""
        for device in self._all:
            wanted = Counter(one.message_id for one in self.letters if device in one.readers)
            had = device.times_received()
            missing, extra = wanted - had, had - wanted
            expect(not missing, f"{device.name} lacks {_texts(self.letters, missing)}.")
            expect(not extra, f"{device.name} has too much: {_texts(self.letters, extra)}.")
        return sum(len(letter.readers) for letter in self.letters)


async def _arrives_at(letter: Letter, reader: Device, names: Mapping[str, str]) -> None:
    """Wait for the message; a device that has not met somebody yet shows the short id."""
    line = await reader.message(letter.message_id)
    own_copy = reader.account == letter.author.account
    author = letter.author.account
    other = letter.to if own_copy else author
    shown = {
        "text": (letter.text,),
        "from": (author,) if own_copy else (author, names[author]),
        "from_device": (letter.author.number,),
        "outgoing": (own_copy,),
        "conversation": (other, names[other]),
    }
    for key, allowed in shown.items():
        value = line[key]
        expect(value in allowed, f"{reader.name} shows {key} {value!r}, not {allowed[0]!r}.")


def keep_private(path: Path, text: str) -> None:
    """Write a secret into a new file that only this user may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def expect(holds: bool, otherwise: str) -> None:
    """Raise CheckFailed, with what is wrong, unless it holds."""
    if not holds:
        raise CheckFailed(otherwise)


def _texts(letters: list[Letter], counts: Counter[str]) -> str:
    texts = {letter.message_id: letter.text for letter in letters}
    return ", ".join(f"“{texts.get(one, one)}” × {count}" for one, count in counts.items())
