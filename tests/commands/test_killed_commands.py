"""Commands that change an account, killed at any moment and given again: nothing is half done.

A first run that nobody disturbs tells how long a command takes on this machine; the others are
killed after a random part of that time.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path
from random import Random

import pytest
from tests.commands.command_line import Device, Ended
from tests.commands.conftest import Link, MakeDevice
from tests.commands.relays import Relay

KILLS = 3


def timed(device: Device, *arguments: str | Path) -> float:
    """Run a command to its end in a process of its own; returns how many seconds that took."""
    began = time.monotonic()
    ended = device.process(*arguments)
    assert ended.status == 0, ended.errors
    return time.monotonic() - began


def killed_after(device: Device, delay_s: float, *arguments: str | Path) -> Ended:
    """Run a command in a process of its own, and kill it unless it ends before."""
    started = device.start(*arguments)
    time.sleep(delay_s)
    return started.end(signal.SIGKILL)


def check_all_hear(sender: Device, name: str, devices: list[Device], text: str) -> None:
    """Send to a person: the message reaches just these devices, each once."""
    assert sender.send(name, text)["devices"] == len(devices)
    assert [[line["text"] for line in one.receive()] for one in devices] == [[text]] * len(devices)


@pytest.mark.timeout(240)
def test_recover_is_killed_at_any_moment(
    device: MakeDevice, person: MakeDevice, link: Link, relay: Relay, tmp_path: Path
) -> None:
    """The same command finishes it: one phone, the companions kept, and mail goes on."""
    chance, phone, bob = Random(1), device("alice-recovers"), person("bob")
    name, code = phone.name, tmp_path / "code"
    code.write_text(phone.run("register", name, "--server", relay.url).line["recovery_code"])
    laptop = link(phone, "laptop")
    recover = ("recover", name, "--server", relay.url, "--recovery-file", code, "--keep-all")
    duration_s, phone = timed(new := device("phone-0"), *recover), new
    for number in range(1, KILLS + 1):
        new = device(f"phone-{number}")
        killed_after(new, chance.uniform(0.3, 1.1) * duration_s, *recover)
        again = new.process(*recover)
        if again.status != 0:  # it had just been finished
            assert again.error["error"] == "not-displaced", again.errors
        assert (phone.run("receive").status, new.run("status").line["state"]) == (6, "active")
        listed = [(line["role"], line["this"]) for line in new.run("devices").lines]
        assert sorted(listed) == [("companion", False), ("primary", True)]
        check_all_hear(bob, name, [new, laptop], f"after kill {number}")
        phone = new
    assert bob.run("contacts").line["changed"] is False
    assert len(laptop.run("messages").lines) == KILLS


@pytest.mark.timeout(240)
def test_a_log_out_is_killed_at_any_moment(
    device: MakeDevice, person: MakeDevice, link: Link
) -> None:
    """The same command finishes it: one device is out for everybody, the others stay in."""
    chance, alice, bob = Random(2), person("alice"), person("bob")
    tablet = link(alice, "tablet")
    logout = ("devices", "logout")
    link(alice, "first")
    duration_s = timed(alice, *logout, "2")
    bob.send(alice.name, "hello")
    for one in (alice, tablet):
        one.receive()
    for number in range(3, KILLS + 3):
        laptop = link(alice, f"laptop-{number}")
        laptop.receive()
        killed_after(alice, chance.uniform(0.3, 1.1) * duration_s, *logout, f"{number}")
        again = alice.process(*logout, f"{number}")
        if again.status != 0:  # it had just been finished
            assert again.error["error"] == "no-such-device", again.errors
        assert laptop.run("receive").status == 6
        for one in (alice, tablet):
            one.receive()
            assert [line["device"] for line in one.run("devices").lines] == [0, 1]
        check_all_hear(bob, alice.name, [alice, tablet], f"without {number}")
