"""The devices of the story: each is a profile, and one process while it is switched on."""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from untether.cli.demo.checks import CheckFailed
from untether.cli.demo.processes import Child, Line, Processes

_INTERRUPTED = 130
_COMPLAINTS = frozenset(
    {
        "identity-changed",
        "list-withheld",
        "lists-forked",
        "mail-lost",
        "message-lost",
        "message-not-readable",
        "possible-copy",
        "prekeys-refused",
        "relay-lists-refused",
    }
)


@dataclass(eq=False)
class Device:
    """A phone or companion; ``printed`` is all that it ever received, from all its processes."""

    processes: Processes
    account: str
    kind: str
    profile: Path
    number: int | None = None
    printed: list[Line] = field(default_factory=list)
    receiver: Child | None = None
    _receivers: list[Child] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.account}'s {self.kind}"

    async def start(self, *arguments: str | Path, printed: list[Line] | None = None) -> Child:
        """Start a command as this device."""
        common = ("--profile", self.profile, "-o", "json")
        what = f"{self.name}: `{arguments[0]}`"
        return await self.processes.start(what, *common, *arguments, printed=printed)

    async def run(self, *arguments: str | Path) -> list[Line]:
        """Run a command to its end; CheckFailed when it fails."""
        child = await self.start(*arguments)
        status = await child.end()
        if status:
            raise child.failure(status)
        return child.printed

    async def ask(self, *arguments: str | Path) -> Line:
        """Run a command that prints one line."""
        printed = await self.run(*arguments)
        if len(printed) != 1:
            raise CheckFailed(
                f"{self.name}: `{arguments[0]}` printed {len(printed)} lines, not one."
            )
        return printed[0]

    async def switch_on(self) -> None:
        """Receive from now on."""
        self.receiver = await self.start("receive", "--follow", printed=self.printed)
        self._receivers.append(self.receiver)

    async def switch_off(self) -> None:
        """End its process, as a person does with Ctrl-C."""
        receiver, self.receiver = self.receiver, None
        if receiver is None:
            return
        receiver.signal(signal.SIGINT)
        status = await receiver.end()
        if status != _INTERRUPTED:
            raise receiver.failure(status)

    async def message(self, message_id: str) -> Line:
        """Wait for a message."""
        if self.receiver is None:
            raise CheckFailed(f"{self.name} is switched off.")
        return await self.receiver.line(
            lambda line: line.get("message_id") == message_id, f"a message at {self.name}"
        )

    def complaints(self) -> list[str]:
        """Return the notices about what it could not read or had to refuse."""
        told = [one for receiver in self._receivers for one in receiver.told()]
        return [one["message"] for one in told if one.get("notice") in _COMPLAINTS]

    def times_received(self) -> Counter[str]:
        """Count how often each message came."""
        return Counter(line["message_id"] for line in self.printed)


class Offered(NamedTuple):
    """A device that shows its QR code, and its process that waits for a phone."""

    device: Device
    linking: Child
    qr_file: Path
