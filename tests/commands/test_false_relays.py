"""Servers that are no relays, or no relay that can be reached: every wait is bounded."""

from __future__ import annotations

import time

import pytest
from tests.commands import false_relays
from tests.commands.command_line import Device
from tests.commands.conftest import MakeDevice
from tests.commands.false_relays import Talk, closed_port, false_relay, silent_port
from tests.commands.relays import Relay

from untether.adapters.transport import websocket
from untether.client import relay_line

VERBS = (("register", "somebody"), ("link", "--timeout", "9"), ("recover", "somebody"))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds are real; only here nobody wants to wait for them."""
    monkeypatch.setattr(websocket, "CONNECT_MS", 500)
    monkeypatch.setattr(websocket, "CLOSE_MS", 200)
    monkeypatch.setattr(relay_line, "CHALLENGE_MS", 500)
    monkeypatch.setattr(relay_line, "ANSWER_MS", 500)


def refuse_all(device: MakeDevice, url: str, code: str) -> None:
    """Check that no verb that makes a profile gets further than a clear error."""
    began = time.monotonic()
    for arguments in VERBS:
        new = device("new")
        ended = new.run(*arguments, "--server", url)
        assert (ended.status, ended.error["error"]) == (3, code), ended.errors
        assert ended.error["hint"]
        assert not new.directory.exists()
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("talk", "code"),
    [
        (None, "not-a-relay"),
        (false_relays.closes_at_once, "closed"),
        (false_relays.says_garbage, "not-a-relay"),
        (false_relays.says_text, "not-a-relay"),
        (false_relays.floods, "closed"),
        (false_relays.is_silent, "not-a-relay"),
    ],
)
def test_a_server_that_is_no_relay(device: MakeDevice, talk: Talk | None, code: str) -> None:
    """Web servers, garbage, early ends and silence are named within seconds."""
    with false_relay(talk) as url:
        refuse_all(device, url, code)


def test_a_port_that_says_nothing(device: MakeDevice) -> None:
    """Connected, then nothing at all."""
    with silent_port() as url:
        refuse_all(device, url, "unreachable")


def test_a_port_where_nobody_listens(device: MakeDevice) -> None:
    """Nobody is there."""
    with closed_port() as url:
        refuse_all(device, url, "unreachable")


def test_a_relay_that_falls_silent(person: MakeDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that challenges and never answers again ends a command in bounded time."""
    alice = person("alice")
    with false_relay(_challenges_only(alice)) as url:
        monkeypatch.setattr(websocket, "socket_url", lambda _origin: f"{url}/v1/socket")
        began = time.monotonic()
        received = alice.run("receive")
        assert (received.status, received.error["error"]) == (3, "no-answer")
        sent = alice.run("send", alice.name, "-m", "note")
        assert (sent.status, sent.line["state"], sent.notices) == (0, "queued", ["no-answer"])
        assert time.monotonic() - began < 20
    monkeypatch.undo()
    assert alice.run("send", alice.name, "-m", "second note").line["state"] == "sent"
    assert {line["state"] for line in alice.run("messages").lines} == {"sent"}


def _challenges_only(alice: Device) -> Talk:
    import asyncio

    from aiohttp import web

    from untether.native import NativeClient
    from untether.wire.codec import encode
    from untether.wire.packets import packet_of
    from untether.wire.server_frames import Answer, Challenge

    async def look() -> Challenge:
        async with (
            NativeClient.open(alice.directory, passphrase_file=alice.passphrase_file) as client,
            client.online(),
        ):
            assert client.driver.challenge is not None
            return client.driver.challenge

    challenge = asyncio.run(look())

    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(packet_of([encode(Answer(0, challenge))]))
        await false_relays.is_silent(socket)

    return talk


def test_a_relay_without_tls_is_named(relay: Relay, device: MakeDevice) -> None:
    """Who forgets http:// on this machine hears that, and not that somebody is in between."""
    address = relay.url.removeprefix("http://")
    refused = device("alice").run("register", "alice", "--server", address)
    assert (refused.status, refused.error["error"]) == (3, "tls-failed")
    assert "http://" in refused.error["hint"]
    assert "ssl" not in refused.error["message"].lower()
