"""Who asks much and reads nothing holds little of the relay's memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import aiohttp
import pytest
from tests.unit.server.relay_devices import Device, register

from untether.adapters.transport.outbox import Outbox
from untether.adapters.transport.socket_url import socket_url
from untether.adapters.transport.websocket import WebSocketConnector
from untether.base.identifiers import HOUR_MS, UnixMillis
from untether.base.limits import (
    FRAMES_PER_PACKET_MAX,
    LISTS_PER_ANSWER_MAX,
    REQUESTS_BURST,
    WRITE_BUFFER_MAX,
)
from untether.relay.requests import ALONE
from untether.server import sockets
from untether.server.pacing import ReadingPace
from untether.server.relay_process import RelayProcess
from untether.wire.client_frames import ClientFrame, FetchLists, PublishLists
from untether.wire.codec import encode
from untether.wire.packets import packet_of
from untether.wire.server_frames import Done, Welcome

FULL = WRITE_BUFFER_MAX // 4


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes that waited after each answer, on any socket of the relay."""
    seen: list[int] = []

    class Watched(Outbox):
        """Notes what waits."""

        def post(self, frame: bytes) -> None:
            """See the base."""
            super().post(frame)
            seen.append(self.waiting_bytes)

    monkeypatch.setattr(sockets, "Outbox", Watched)
    return seen


async def _with_long_chain(connector: WebSocketConnector, name: str) -> Device:
    """Register somebody and sign as many lists as one answer may have; leave them connected."""
    phone = await register(connector, name)
    assert isinstance(await phone.log_in(connector), Welcome)
    for _ in range(LISTS_PER_ANSWER_MAX):
        phone.person.now = UnixMillis(phone.person.now - HOUR_MS)  # publishing passes an hour
        phone.person.publish()
    behind_first = tuple(phone.person.run[1:])
    assert isinstance(await phone.ask(PublishLists(behind_first)), Done)
    return phone


async def _most_waiting(phone: Device, frame: ClientFrame, waiting: list[int]) -> tuple[int, int]:
    """Ask all that a connection may ask at once; return the answer's size and what waited most."""
    answer = await phone.ask(frame)
    size = len(encode(answer))
    assert size > 4 * 1024, answer
    waiting.clear()
    tokens = [await phone.send(frame) for _ in range(REQUESTS_BURST // 2)]
    for token in tokens:
        assert await phone.answer(token) == answer
    return size, max(waiting)


async def test_large_answers_are_made_one_at_a_time(
    connector: WebSocketConnector, waiting: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists by the dozen: what waits is the bound and one answer. Twin: by the packet, without."""
    phone = await _with_long_chain(connector, "alice")
    fetch = FetchLists(phone.certificate.account_id, phone.person.lists[0].head)
    size, most = await _most_waiting(phone, fetch, waiting)
    assert most <= FULL + 2 * size
    monkeypatch.setattr(sockets, "ALONE", ALONE - {FetchLists})
    phone = await _with_long_chain(connector, "bob")
    fetch = FetchLists(phone.certificate.account_id, phone.person.lists[0].head)
    size, most = await _most_waiting(phone, fetch, waiting)
    assert most > FULL + 2 * size


async def test_refusals_wait_like_answers(
    relay: RelayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that takes nothing is not read on, however unreadable its requests are."""
    made: list[Outbox] = []

    class Stuck(Outbox):
        """Sends nothing, like to a peer that reads nothing."""

        def __init__(self, _send: Callable[[bytes], Awaitable[None]]) -> None:
            super().__init__(cast("Callable[[bytes], Awaitable[None]]", self._wait))
            made.append(self)

        @staticmethod
        async def _wait(_packet: bytes) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(sockets, "Outbox", Stuck)
    monkeypatch.setattr(sockets, "ReadingPace", lambda *_: ReadingPace(1_000_000, 1_000_000))
    packet = packet_of([b"\x92\x4d\x91\xa5hello"] * FRAMES_PER_PACKET_MAX)  # [77, ["hello"]]
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(socket_url(relay.address)) as mallory,
    ):
        for _ in range(400):
            await mallory.send_bytes(packet)
        await asyncio.sleep(0.5)
        assert made[0].full
        assert made[0].waiting_bytes < FULL + len(packet) * 4
        made[0].close()
