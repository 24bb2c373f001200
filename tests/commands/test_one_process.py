"""A program in which one device does everything: one socket, and the owner is asked each time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.commands.conftest import MakeDevice, link_clients
from tests.commands.relays import Relay

from untether.adapters.transport.websocket import WebSocketConnector
from untether.base.errors import RefusedError
from untether.base.secret_bytes import SecretBytes
from untether.client.transport import Connection
from untether.device.events import MessageReceived
from untether.native import NativeClient


@contextmanager
def verifications(client: NativeClient) -> Iterator[list[str]]:
    """Write down what the owner of a device is asked for."""
    asked: list[str] = []
    really = client.vault.open

    async def opened(sealed: bytes, reason: str) -> SecretBytes:
        asked.append(reason)
        return await really(sealed, reason)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client.vault, "open", opened)
        yield asked


async def test_whoever_registers_is_asked_again_before_a_link(
    device: MakeDevice, relay: Relay
) -> None:
    """The account key, open while the account is made, signs no later certificate."""
    phone, laptop = device("alice-in-one"), device("laptop-in-one")
    async with NativeClient.create(
        phone.directory, relay.url, passphrase_file=phone.passphrase_file
    ) as alice:
        with verifications(alice) as asked:
            await alice.register(phone.name, device_name="phone")
            assert asked == []
            async with NativeClient.create(
                laptop.directory, relay.url, passphrase_file=laptop.passphrase_file
            ) as new:
                await link_clients(alice, new, "laptop")
            assert asked == ["This lets a device take part in your account."]


async def test_whoever_recovers_is_asked_again_before_a_link(
    device: MakeDevice, relay: Relay
) -> None:
    """The code that made a new phone, or the seal that made this one again, links nothing."""
    lost, phone, laptop = device("alice-lost"), device("alice-new"), device("laptop-of-new")
    async with NativeClient.create(
        lost.directory, relay.url, passphrase_file=lost.passphrase_file
    ) as alice:
        code = (await alice.register(lost.name, device_name="lost")).recovery_code

    async def get_code() -> str:
        return code

    async def keep_none(_found: object) -> tuple[()]:
        return ()

    async with NativeClient.create(
        phone.directory, relay.url, passphrase_file=phone.passphrase_file
    ) as alice:
        with verifications(alice) as asked:
            await alice.recover(
                lost.name, device_name="new", get_code=get_code, which_stay=keep_none
            )
            assert asked == []
            async with NativeClient.create(
                laptop.directory, relay.url, passphrase_file=laptop.passphrase_file
            ) as new:
                await link_clients(alice, new, "laptop")
            assert len(asked) == 1


async def test_a_registration_that_fails_signs_nothing_later(
    person: MakeDevice, device: MakeDevice, relay: Relay
) -> None:
    """The signer is put back whatever happens."""
    alice, other = await asyncio.to_thread(person, "alice"), device("refused-in-one")
    async with NativeClient.create(
        other.directory, relay.url, passphrase_file=other.passphrase_file
    ) as client:
        asking = client.driver.signer
        with pytest.raises(RefusedError):
            await client.register(alice.name, device_name="phone")
        assert client.driver.signer is asking


async def test_one_socket_serves_everything(
    person: MakeDevice, device: MakeDevice, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a device receives it links, sends and lists its devices on the same connection."""
    alice = await asyncio.to_thread(person, "alice")
    bob, laptop = await asyncio.to_thread(person, "bob"), device("laptop-on-one-socket")
    opened: list[WebSocketConnector] = []
    really = WebSocketConnector.connect

    async def counted(self: WebSocketConnector) -> Connection:
        opened.append(self)
        return await really(self)

    monkeypatch.setattr(WebSocketConnector, "connect", counted)
    async with NativeClient.open(alice.directory, passphrase_file=alice.passphrase_file) as client:
        texts: asyncio.Queue[str] = asyncio.Queue()

        async def receive() -> None:
            async for event in client.events():
                if isinstance(event, MessageReceived):
                    texts.put_nowait(event.text)

        receiving = asyncio.create_task(receive())
        await client.driver.until_connected()
        first = opened[0]
        async with NativeClient.create(
            laptop.directory, relay.url, passphrase_file=laptop.passphrase_file
        ) as new:
            await link_clients(client, new, "laptop")
        async with client.online_if_possible():
            assert (await client.send(bob.name, "hello")).state == "sent"
        assert [one.device for one in await client.devices()] == [0, 1]
        await asyncio.to_thread(bob.send, alice.name, "hello yourself")
        assert await asyncio.wait_for(texts.get(), 20) == "hello yourself"
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
    assert opened.count(first) == 1
