"""One relay, real sockets: login, delivery, windows, displaced and hostile peers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from tests.unit.server.relay_devices import PATIENCE_S, Device, register

from untether.adapters.transport import websocket
from untether.adapters.transport.websocket import WebSocketConnector
from untether.base.errors import NetworkError, PlatformError
from untether.base.limits import DELIVERIES_BYTES_MAX, UNACKNOWLEDGED_MAX
from untether.server import mail_push, sockets
from untether.server.config import Config, Quotas
from untether.server.relay_process import RelayProcess
from untether.wire import packets
from untether.wire.client_frames import Acknowledge, FetchStatus, Request
from untether.wire.packets import Unreadable
from untether.wire.server_frames import (
    Deliveries,
    Displaced,
    Done,
    Status,
    Submitted,
    Welcome,
)

Truth = TypeVar("Truth")


async def test_a_message_travels_and_is_deleted(connector: WebSocketConnector) -> None:
    """Alice submits, Bob gets it pushed, acknowledges, and the relay holds nothing any more."""
    alice, bob = await register(connector, "alice"), await register(connector, "bob")
    assert (await bob.receive_mail(connector)).entries == ()
    assert isinstance(await alice.log_in(connector), Welcome)
    message_id = await alice.write(bob, b"body")
    (entry,) = (await bob.push(Deliveries)).entries
    assert (entry.message_id, entry.header, entry.body) == (message_id, b"header", b"body")
    assert await bob.ask(FetchStatus()) == _Mailbox(1)
    assert isinstance(await bob.ask(Acknowledge(entry.stamp)), Done)
    assert await bob.ask(FetchStatus()) == _Mailbox(0)


class _Mailbox:
    """Equals any status with this many entries."""

    def __init__(self, entries: int) -> None:
        self.entries = entries

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Status) and other.mailbox_entries == self.entries

    def __hash__(self) -> int:
        return hash(self.entries)

    def __repr__(self) -> str:
        return f"a status with {self.entries} entries"


async def test_mail_written_while_away_waits(connector: WebSocketConnector) -> None:
    """What came before the connection is in the first push; unacknowledged mail comes again."""
    alice, bob = await register(connector, "alice"), await register(connector, "bob")
    await alice.log_in(connector)
    written = [await alice.write(bob) for _ in range(3)]
    first = await bob.receive_mail(connector)
    assert [entry.message_id for entry in first.entries] == written
    await bob.connection.close()
    again = await bob.receive_mail(connector, first.entries[0].stamp)
    assert [entry.message_id for entry in again.entries] == written[1:]


async def test_what_is_asked_in_one_tick_travels_together(
    connector: WebSocketConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ways: three requests come in one packet, three answers of one commit leave in one."""
    alice = await register(connector, "alice")
    await alice.log_in(connector)
    asked: list[int] = []
    answered: list[int] = []

    def note_requests(packet: bytes) -> Sequence[Request | Unreadable]:
        asked.append(len(packets.requests_of(packet)))
        return packets.requests_of(packet)

    def note_answers(packet: bytes) -> list[bytes]:
        answered.append(len(packets.frames_of(packet)))
        return packets.frames_of(packet)

    monkeypatch.setattr(sockets, "requests_of", note_requests)
    monkeypatch.setattr(websocket, "frames_of", note_answers)
    for token in [await alice.send(FetchStatus()) for _ in range(3)]:
        assert isinstance(await alice.answer(token), Status)
    assert (asked, answered) == ([3], [3])


async def test_the_newest_receiver_wins(connector: WebSocketConnector) -> None:
    """The older socket is told, gets no more mail, and may still send and ask."""
    alice, bob = await register(connector, "alice"), await register(connector, "bob")
    newer = Device(bob.person, bob.keys, bob.certificate)
    await bob.receive_mail(connector)
    await newer.receive_mail(connector)
    await bob.push(Displaced)
    await alice.log_in(connector)
    written = await alice.write(bob)
    assert await newer.take_mail(1) == [written]
    assert await bob.ask(FetchStatus()) == _Mailbox(1)
    assert not bob.pushes
    await bob.write(alice)


async def test_any_socket_of_the_device_may_acknowledge(connector: WebSocketConnector) -> None:
    """The window follows the device, not the socket."""
    alice, bob = await register(connector, "alice"), await register(connector, "bob")
    other = Device(bob.person, bob.keys, bob.certificate)
    await bob.receive_mail(connector)
    await other.log_in(connector)
    await alice.log_in(connector)
    await alice.write(bob)
    (entry,) = (await bob.push(Deliveries)).entries
    assert isinstance(await other.ask(Acknowledge(entry.stamp)), Done)
    assert await bob.ask(FetchStatus()) == _Mailbox(0)


class TestWindow:
    """At most so many entries are pushed ahead of the acknowledgements."""

    @pytest.fixture
    def config(self, tmp_path: Path) -> Config:
        """Let one device submit as fast as it can."""
        return Config(port=0, data=str(tmp_path), quotas=Quotas(10_000, 10_000, 10_000, 10_000))

    async def test_a_silent_reader_gets_one_window(self, connector: WebSocketConnector) -> None:
        """Without an acknowledgement the pushes stop; with it they go on, in order."""
        alice, bob = await register(connector, "alice"), await register(connector, "bob")
        await alice.log_in(connector)
        tokens = [await alice.send(alice.letter(bob)) for _ in range(UNACKNOWLEDGED_MAX + 20)]
        for token in tokens:
            assert isinstance(await alice.answer(token), Submitted)
        pushed = list((await bob.receive_mail(connector)).entries)
        while len(pushed) < UNACKNOWLEDGED_MAX:
            pushed += (await bob.push(Deliveries)).entries
        assert await bob.ask(FetchStatus()) == _Mailbox(UNACKNOWLEDGED_MAX + 20)
        assert not bob.pushes
        await bob.ask(Acknowledge(pushed[99].stamp))
        more = (await bob.push(Deliveries)).entries
        assert len(more) == 20
        stamps = [entry.stamp for entry in (*pushed, *more)]
        assert stamps == sorted(set(stamps))


class TestSlowReader:
    """A reader that takes nothing is cut; its mail stays."""

    async def test_it_is_cut_and_its_mail_kept(
        self, connector: WebSocketConnector, relay: RelayProcess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Mail waits in the mailbox, not in the process, and the next connection gets all."""
        alice, bob = await register(connector, "alice"), await register(connector, "bob")
        await alice.log_in(connector)
        tokens = [await alice.send(alice.letter(bob, body=bytes(64_000))) for _ in range(150)]
        for token in tokens:
            assert isinstance(await alice.answer(token), Submitted)
        await bob.receive_mail(connector)  # and then bob reads no more
        (stalled,) = await _wait_for(
            lambda: [one for one in relay.hub.sockets() if one.outbox.is_waiting]
        )
        assert stalled.outbox.waiting_bytes < 2 * DELIVERIES_BYTES_MAX
        relay.hub.sweep()
        assert stalled.overdue() is None
        monkeypatch.setattr(sockets, "WRITE_STALL_MS", 0)
        relay.hub.sweep()
        await _wait_for(lambda: stalled not in relay.hub.sockets())
        monkeypatch.undo()
        first = await bob.receive_mail(connector)
        assert len(first.entries) + first.remaining == 150


async def test_a_peer_too_far_behind_is_not_sent_news(
    connector: WebSocketConnector, relay: RelayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """News can't be held back like mail, so the socket goes."""
    alice = await register(connector, "alice")
    await alice.log_in(connector)
    (socket,) = relay.hub.sockets()
    monkeypatch.setattr(type(socket.outbox), "overflowing", True)
    socket.push(Displaced())
    await _wait_for(lambda: not relay.hub.sockets())
    with pytest.raises(NetworkError):
        await alice.connection.receive()


async def test_a_failing_store_ends_delivery_with_a_code(
    connector: WebSocketConnector, relay: RelayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device learns that the relay has failed, connects again, and misses nothing."""
    alice, bob = await register(connector, "alice"), await register(connector, "bob")
    await alice.log_in(connector)
    await bob.receive_mail(connector)

    async def fail(*_arguments: object) -> None:
        raise PlatformError("relay-storage", "The relay's database can't be used.")

    with monkeypatch.context() as broken:
        broken.setattr(mail_push, "next_deliveries", fail)
        written = await alice.write(bob)
        with pytest.raises(NetworkError) as end:
            await bob.connection.receive()
    assert end.value.details["close_code"] == 1011
    first = await bob.receive_mail(connector)
    assert [entry.message_id for entry in first.entries] == [written]


async def _wait_for(condition: Callable[[], Truth]) -> Truth:
    async with asyncio.timeout(PATIENCE_S):
        while not (result := condition()):  # noqa: ASYNC110 (the relay tells no test)
            await asyncio.sleep(0.01)
        return result
