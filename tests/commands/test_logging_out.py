"""Logging a companion out: what it wrote stays on the phone, and nothing delays it for long."""

from __future__ import annotations

import asyncio

import pytest
from tests.commands.command_line import Device
from tests.commands.conftest import Link, MakeDevice

from untether.client import devices


def log_out_companion(alice: Device) -> list[str]:
    """Log device 1 out from the phone; returns the notices."""
    ended = alice.run("devices", "logout", "1")
    assert (ended.status, ended.line["event"]) == (0, "logged-out"), ended.errors
    assert [line["device"] for line in alice.run("devices").lines] == [0]
    return ended.notices


def test_what_waits_for_the_phone_is_received_first(person: MakeDevice, link: Link) -> None:
    """A copy of what the companion wrote is on the phone; people get it after the log-out too."""
    alice, bob = person("alice"), person("bob")
    alice.send(bob.name, "hello")
    assert bob.texts() == ["hello"]
    laptop = link(alice, "laptop")
    laptop.send(bob.name, "phone off")
    assert log_out_companion(alice) == []
    assert [line["text"] for line in alice.run("messages").lines] == ["hello", "phone off"]
    assert alice.texts() == ["phone off"]
    assert bob.texts() == ["phone off"]


def test_a_mailbox_that_is_never_empty_delays_it_little(
    person: MakeDevice, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thief who floods the phone is logged out all the same."""

    async def never_drained(*_: object) -> None:
        await asyncio.Event().wait()

    alice = person("alice")
    link(alice, "laptop")
    monkeypatch.setattr(devices, "drain", never_drained)
    monkeypatch.setattr(devices, "LOG_OUT_RECEIVE_MS", 50)
    log_out_companion(alice)


def test_another_process_of_the_phone_receives(person: MakeDevice, link: Link) -> None:
    """Its mail is taken in already; the log-out does not wait for it."""
    alice = person("alice")
    laptop = link(alice, "laptop")
    receiving = alice.start("receive", "--follow")
    laptop.send(alice.name, "a note")
    receiving.until_text("a note")
    assert log_out_companion(alice) == []
    receiving.end(2)
