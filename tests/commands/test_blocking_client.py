"""The SDK for scripts, beside devices that act by commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.commands.conftest import MakeDevice

from untether.base.errors import LocalError
from untether.blocking import BlockingClient
from untether.device.events import MessageReceived


def test_a_script_reads_and_answers(person: MakeDevice) -> None:
    """It hears what came, answers by name, and sees people, devices and history."""
    alice, bob = person("alice"), person("bob")
    alice.send(bob.name, "are you a script?")
    with BlockingClient.open(bob.directory, passphrase_file=bob.passphrase_file) as script:
        heard = [one for one in script.events(timeout_s=2) if isinstance(one, MessageReceived)]
        assert [one.text for one in heard] == ["are you a script?"]
        assert script.send(alice.name, "I am").state == "sent"
        assert [one.message.text for one in script.messages()] == ["are you a script?", "I am"]
        assert [one.name for one in script.contacts()] == [alice.name]
        assert [one.device for one in script.devices()] == [0]
        assert script.security_code(alice.name).name == alice.name
        assert script.status().connected
    assert [line["text"] for line in alice.receive()] == ["I am"]


def test_only_one_receives(person: MakeDevice) -> None:
    """A script that listens twice is told so, as two processes are; the first goes on."""
    alice, bob = person("alice"), person("bob")
    with BlockingClient.open(bob.directory, passphrase_file=bob.passphrase_file) as script:
        listening = script.events(timeout_s=5)
        alice.send(bob.name, "one")
        next(listening)
        with pytest.raises(LocalError) as caught:
            next(script.events(timeout_s=5))
        assert caught.value.code == "already-receiving"
        alice.send(bob.name, "two")
        texts = [one.text for one in listening if isinstance(one, MessageReceived)]
        assert texts[-1] == "two"


def test_a_profile_that_is_none_is_refused(tmp_path: Path) -> None:
    """An error at the start is the SDK's own, and leaves nothing open."""
    with pytest.raises(LocalError) as caught, BlockingClient.open(tmp_path / "nobody"):
        pass
    assert caught.value.code == "no-profile"
