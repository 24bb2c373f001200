"""A relay and devices as real processes, which are killed while they are busy.

SIGKILL ends a process between any two of its instructions, but takes nothing from the disk that
was written: what a disk loses is tested by cutting its power (``power_cut.py``). Here it is shown
that a process that starts again finds its way: nothing lost, nothing twice, and soon.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from tests.commands.command_line import (
    PASSPHRASE,
    PATIENCE_S,
    Device,
    child_environment,
)
from tests.commands.conftest import link_companion
from tests.commands.relays import Relay

from untether.native import NativeClient

CHATTER: Final = Path(__file__).with_name("chatter.py")
GENEROUS: Final = """
guest_requests_burst = 10000
submit_burst = 1000000
"""
LOSSES: Final = (
    "message-waits",
    "message-not-readable",
    "message-lost",
    "mail-lost",
    "possible-copy",
)


class Chatter:
    """One device that chats, life after life."""

    def __init__(self, device: Device, peer: str) -> None:
        self.device = device
        self.wrote: Counter[str] = Counter()
        self.heard: Counter[str] = Counter()
        self.sent = 0
        self.told = 0
        self._peer = peer
        self._lives = 0

    def start(self) -> None:
        """Begin a life."""
        self._lives += 1
        self.told = 0
        prefix = f"{self.device.name}, life {self._lives}, number"
        self._process = subprocess.Popen(
            [
                *(sys.executable, CHATTER, self.device.directory),
                *(self.device.passphrase_file, self._peer, prefix),
            ],
            stdout=subprocess.PIPE,
            text=True,
            env=child_environment(),
        )
        self._reader = threading.Thread(target=self._listen)
        self._reader.start()

    def end(self, number: signal.Signals) -> int:
        """End it, gently or not; everything that it printed is known then."""
        self._process.send_signal(number)
        status = self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return status

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if line.endswith("\n"):  # else it was killed while it printed
                    self._take(json.loads(line))

    def _take(self, told: dict[str, str]) -> None:
        self.told += 1
        if "heard" in told:
            self.heard[told["heard"]] += 1
        else:
            self.wrote[told["wrote"]] += 1
            self.sent += told["state"] != "queued"


@dataclass
class Outcome:
    """What many kills have shown; every zero has its denominator."""

    relay_kills: int = 0
    device_kills: int = 0
    written: int = 0
    devices: int = 0
    lost: int = 0
    doubled: int = 0
    notices: list[str] = field(default_factory=list)
    recoveries_s: list[float] = field(default_factory=list)

    @property
    def recovery_s(self) -> float:
        """The median time from the kill of a relay until a message passes again."""
        return sorted(self.recoveries_s)[len(self.recoveries_s) // 2]

    @property
    def recovery(self) -> str:
        """That time in words."""
        if not self.recoveries_s:
            return "no time"
        return f"{self.recovery_s:.1f} s (median), {max(self.recoveries_s):.1f} s (longest)"

    def __str__(self) -> str:
        return (
            f"{self.relay_kills} kills of the relay and {self.device_kills} of devices; of "
            f"{self.written} messages on {self.devices} devices {self.lost} lost, {self.doubled} "
            f"doubled; served again after {self.recovery}"
        )


class Killing:
    """Alice with phone and laptop, Bob with a phone, all chatting, and a relay."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self._random = Random(seed)
        self._relay = Relay(folder / "relay", quotas=GENEROUS)
        passphrase_file = folder / "passphrase"
        passphrase_file.touch(mode=0o600)
        passphrase_file.write_text(f"{PASSPHRASE}\n")
        alice, laptop, bob = (
            Device(folder / name, passphrase_file) for name in ("alice", "laptop", "bob")
        )
        self._phones = (alice, bob)
        self._laptop = laptop
        self._chatters = [Chatter(alice, "bob"), Chatter(laptop, "bob"), Chatter(bob, "alice")]
        self.outcome = Outcome()

    def play(self, relay_kills: int, device_kills: int) -> Outcome:
        """Kill the relay and devices so many times in all, then see what is there."""
        self._relay.start()
        try:
            self._begin()
            victims = ["relay"] * relay_kills + ["device"] * device_kills
            self._random.shuffle(victims)
            for victim in victims:
                time.sleep(self._random.uniform(0.05, 0.6))
                self._kill_relay() if victim == "relay" else self._kill_device()
            self._wait_until_all_send()
            for chatter in self._chatters:
                assert chatter.end(signal.SIGTERM) == 0
            self._count()
        finally:
            for chatter in self._chatters:
                chatter.end(signal.SIGKILL)
            self._relay.stop_if_running()
        return self.outcome

    def _begin(self) -> None:
        for phone in self._phones:
            made = phone.run("register", phone.name, "--server", self._relay.url)
            assert made.status == 0, made.errors
        asyncio.run(link_companion(self._phones[0], self._laptop, "laptop"))
        for chatter in self._chatters:
            chatter.start()
        self._wait_until_all_send()

    def _kill_relay(self) -> None:
        """Kill it just after an answer, each second time at any moment."""
        if self.outcome.relay_kills % 2 == 0:
            self._wait_until_all_send(one_is_enough=True)
        self._relay.stop(signal.SIGKILL)
        killed_at = time.monotonic()
        self._relay.start()
        self._wait_until_all_send(one_is_enough=True)
        self.outcome.recoveries_s.append(time.monotonic() - killed_at)
        self.outcome.relay_kills += 1

    def _kill_device(self) -> None:
        """Kill one that has been writing and reading in this life."""
        chatter = self._random.choice(self._chatters)
        self._wait_until(lambda: chatter.told > 5)
        time.sleep(self._random.uniform(0, 0.1))
        chatter.end(signal.SIGKILL)
        chatter.start()
        self.outcome.device_kills += 1

    def _wait_until_all_send(self, *, one_is_enough: bool = False) -> None:
        before = [chatter.sent for chatter in self._chatters]
        enough = any if one_is_enough else all
        self._wait_until(
            lambda: enough(
                chatter.sent > sent for chatter, sent in zip(self._chatters, before, strict=True)
            )
        )

    @staticmethod
    def _wait_until(is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline, "nothing goes on any more"
            time.sleep(0.002)

    def _count(self) -> None:
        """Compare what the devices have with what was written."""
        devices = [chatter.device for chatter in self._chatters]
        for device in devices * 2:  # the second time nothing is under way any more
            received = device.run("receive")
            assert received.status == 0, received.errors
            self.outcome.notices += [one for one in received.notices if one in LOSSES]
        written = sum((chatter.wrote for chatter in self._chatters), Counter())
        found = [asyncio.run(_texts(device)) for device in devices]
        known = set().union(*found, written)
        self.outcome.devices = len(devices)
        self.outcome.written = len(known)
        self.outcome.lost = sum(text not in texts for texts in found for text in known)
        self.outcome.doubled = sum(
            count > 1
            for counts in (*found, *(chatter.heard for chatter in self._chatters))
            for count in counts.values()
        )


async def _texts(device: Device) -> Counter[str]:
    async with NativeClient.open(
        device.directory, passphrase_file=device.passphrase_file
    ) as client:
        return Counter(one.message.text for one in client.messages(limit=1_000_000))
