"""What people see of a message that can't be read at first."""

from __future__ import annotations

import asyncio

from tests.commands.command_line import Device
from tests.commands.conftest import MakeDevice

from untether.device.store import sessions
from untether.native import NativeClient


def lose_all_sessions(device: Device) -> None:
    """Take away what a device needs to read what comes, once it has nothing more to say."""

    async def act() -> bool:
        async with NativeClient.open(
            device.directory, passphrase_file=device.passphrase_file
        ) as client:
            with client.driver.writing() as database:
                if not database.rows("SELECT 1 FROM receipts_due UNION ALL SELECT 1 FROM outbox"):
                    sessions.delete_all(database)
                    return True
        return False

    while not asyncio.run(act()):
        device.receive()


def test_a_message_waits_is_asked_for_and_comes_again(person: MakeDevice) -> None:
    """Bob sees that it waits, Alice that she was asked; then it is there, and marked."""
    alice, bob = person("alice"), person("bob")
    alice.send(bob.name, "hello")
    bob.send(alice.name, "hi")
    for device in (bob, alice, bob):
        device.receive()
    lose_all_sessions(bob)
    alice.send(bob.name, "can you read this?")
    waiting = bob.run("receive")
    assert (waiting.lines, waiting.notices) == ([], ["message-waits"])
    standing = bob.run("status").line
    assert (standing["repairing"], standing["unreadable"]) == (1, 0)
    asked = alice.run("receive")
    assert asked.notices == ["message-sent-again"]
    [message] = bob.receive()
    assert (message["text"], message["recovered"]) == ("can you read this?", True)
    standing = bob.run("status").line
    assert (standing["repairing"], standing["unreadable"]) == (0, 0)
    shown = bob.run("messages").lines
    assert [line["recovered"] for line in shown] == [False, False, True]
