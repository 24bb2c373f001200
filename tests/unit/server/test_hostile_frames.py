"""Whatever a peer sends, it hurts only itself, and gets a code, never a traceback."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from secrets import token_bytes

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.server.relay_devices import Device, make_phone, register
from tests.unit.server.relay_process_helper import logged

from untether.adapters.transport.socket_url import socket_url
from untether.adapters.transport.websocket import WebSocketConnector
from untether.base.errors import NetworkError
from untether.base.limits import FRAME_MAX, IN_FLIGHT_MAX, PACKET_MAX
from untether.relay import requests, submission
from untether.relay.requests import handle
from untether.server import sockets
from untether.server.relay_process import RelayProcess
from untether.wire.client_frames import Acknowledge, FetchLists, FetchStatus, Request
from untether.wire.codec import decode, encode
from untether.wire.packets import frames_of, packet_of
from untether.wire.records import Stamp
from untether.wire.server_frames import Answer, Refused, ServerFrame, Status, Submitted, Welcome


async def _close_code(device: Device) -> int:
    with pytest.raises(NetworkError) as end:
        while True:
            await device.connection.receive()
    return int(end.value.details["close_code"])


async def _logged_in(connector: WebSocketConnector, name: str = "alice") -> Device:
    device = await register(connector, name)
    assert isinstance(await device.log_in(connector), Welcome)
    return device


async def test_a_malformed_frame_with_a_token_is_refused(connector: WebSocketConnector) -> None:
    """Its sender learns which request it was; what runs beside it goes on."""
    alice = await _logged_in(connector)
    before = await alice.send(FetchStatus())
    await alice.connection.send(b"\x92\x4d\x91\xa5hello")  # [77, ["hello"]]
    after = await alice.send(FetchStatus())
    assert await alice.answer(77) == Refused("malformed")
    assert isinstance(await alice.answer(before), Status)
    assert isinstance(await alice.answer(after), Status)


async def test_a_malformed_frame_harms_no_other_of_its_packet(relay: RelayProcess) -> None:
    """Of three in one packet the outer two are decided as if each had come alone."""
    status = [encode(Request(token, FetchStatus())) for token in (1, 2)]
    async with _opened(relay) as mallory:
        await mallory.send_bytes(packet_of([status[0], b"\x92\x4d\x91\xa5hello", status[1]]))
        refused: dict[int, ServerFrame] = {}
        while len(refused) < 3:
            refused |= _by_token(await mallory.receive_bytes())
    not_allowed = Refused("not-allowed")  # for a guest
    assert refused == {1: not_allowed, 2: not_allowed, 77: Refused("malformed")}


async def test_what_stands_before_garbage_in_a_packet_is_answered(relay: RelayProcess) -> None:
    """And nothing behind it is begun, since nobody can tell what it is."""
    requests = [encode(Request(token, FetchStatus())) for token in (1, 2)]
    async with _opened(relay) as mallory:
        await mallory.send_bytes(packet_of([requests[0], b"\xc0", requests[1]]))
        assert list(_by_token(await mallory.receive_bytes())) == [1]
        end = await mallory.receive()
        assert (end.type, end.data, end.extra) == (aiohttp.WSMsgType.CLOSE, 1007, "malformed")


GARBAGE = [
    *(
        b"",
        b"\xc1",
        b"garbage",
        token_bytes(300),
        b"\x92\xff\x90",
        b"\x91" * 5_000,
        b"\xde\xff\xff",
    ),
    *(b"\x90", b"\xdd\xff\xff\xff\xff", b"\xdc\xff\xff" + b"\x90" * 65_535),
]


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("wrapped", [False, True], ids=["packet", "frame"])
async def test_garbage_ends_its_own_socket_only(
    relay: RelayProcess, connector: WebSocketConnector, garbage: bytes, wrapped: bool
) -> None:
    """Without a token there is nobody to answer; another device notices nothing."""
    bob = await _logged_in(connector, "bob")
    async with _opened(relay) as mallory:
        await mallory.send_bytes(packet_of([garbage]) if wrapped else garbage)
        end = await mallory.receive()
        assert (end.type, end.data, end.extra) == (aiohttp.WSMsgType.CLOSE, 1007, "malformed")
    assert isinstance(await bob.ask(FetchStatus()), Status)


async def test_a_request_outside_a_packet_is_not_read(relay: RelayProcess) -> None:
    """There is one way to ask: what a packet without its array says is not guessed."""
    async with _opened(relay) as mallory:
        await mallory.send_bytes(encode(Request(1, FetchStatus())))
        assert (await mallory.receive()).data == 1007


@asynccontextmanager
async def _opened(relay: RelayProcess) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a socket that sends any bytes, and read the challenge."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(socket_url(relay.address)) as opened,
    ):
        await opened.receive()
        yield opened


def _by_token(packet: bytes) -> dict[int, ServerFrame]:
    answers = [decode(frame, Answer, size_max=FRAME_MAX) for frame in frames_of(packet)]
    return {answer.token: answer.frame for answer in answers}


async def test_a_refusal_that_nobody_reads_ends_the_socket(relay: RelayProcess) -> None:
    """A request without an answer is an acknowledgement; its sender would wait for ever."""
    async with _opened(relay) as guest:
        await guest.send_bytes(packet_of([encode(Request(0, Acknowledge(Stamp(0, 0))))]))
        end = await guest.receive(timeout=5)
        assert (end.type, end.data, end.extra) == (aiohttp.WSMsgType.CLOSE, 1008, "refused-unseen")


async def test_a_truncated_frame_is_refused(relay: RelayProcess) -> None:
    """Every prefix of a packet, and of a request in one, is answered by a close."""
    request = encode(Request(1, FetchStatus()))
    packet = packet_of([request])
    cut = [packet[:length] for length in range(len(packet))]
    for part in [*cut, *(packet_of([request[:length]]) for length in range(len(request)))]:
        async with _opened(relay) as mallory:
            await mallory.send_bytes(part)
            assert (await mallory.receive()).data == 1007


async def test_running_requests_are_answered_before_garbage_ends_the_socket(
    connector: WebSocketConnector,
) -> None:
    """Work that came in a packet before the malformed one is done and told."""
    alice, bob = await _logged_in(connector), await register(connector, "bob")
    token = await alice.send(alice.letter(bob))
    await asyncio.sleep(0)  # and it has left
    await alice.connection.send(b"\xc1")
    assert isinstance(await alice.answer(token), Submitted)
    assert await _close_code(alice) == 1007


async def test_text_frames_close_the_socket(relay: RelayProcess) -> None:
    """Frames are binary."""
    async with _opened(relay) as mallory:
        await mallory.send_str("hello")
        end = await mallory.receive()
        assert (end.type, end.data, end.extra) == (aiohttp.WSMsgType.CLOSE, 1003, "text-frame")


async def test_too_large_packets_close_the_socket(relay: RelayProcess) -> None:
    """One byte beyond the bound is not even collected, and counts as malformed."""
    async with _opened(relay) as mallory:
        await mallory.send_bytes(bytes(PACKET_MAX + 1))
        assert (await mallory.receive()).data == 1009
        assert relay.metrics.cuts == {"malformed": 1}


async def test_a_frame_of_the_largest_size_is_read(connector: WebSocketConnector) -> None:
    """The bound itself is allowed, so this one is refused for what it says."""
    mallory = make_phone("mallory")
    await mallory.connect(connector)
    await mallory.connection.send(
        b"\x92\x05\xc6" + (FRAME_MAX - 7).to_bytes(4, "big") + bytes(FRAME_MAX - 7)
    )
    assert await mallory.answer(5) == Refused("malformed")


async def test_a_request_before_the_login_is_refused(connector: WebSocketConnector) -> None:
    """A guest can't submit or ask for mail, and may still log in afterwards."""
    alice = await register(connector, "alice")
    await alice.connect(connector)
    assert await alice.ask(alice.letter(alice)) == Refused("not-allowed")
    assert await alice.ask(FetchStatus()) == Refused("not-allowed")
    assert isinstance(await alice.ask(alice.login()), Welcome)
    assert await alice.ask(alice.login()) == Refused("not-allowed")


async def test_a_login_binds_origin_and_challenge(connector: WebSocketConnector) -> None:
    """A login made for another address, or for another connection, proves nothing here."""
    alice = await register(connector, "alice")
    await alice.connect(connector)
    elsewhere = alice.login("https://evil.example")
    assert await alice.ask(elsewhere) == Refused("wrong-origin")
    replayed = alice.login()
    await alice.connection.close()
    await alice.connect(connector)
    assert await alice.ask(replayed) == Refused("bad-login-signature")


async def test_requests_in_flight_are_bounded(
    connector: WebSocketConnector, relay: RelayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many requests wait in the socket, only so many run at once."""
    most = running = 0
    gate = asyncio.Event()

    def counted(*arguments: object) -> Awaitable[object]:
        nonlocal most, running
        running += 1
        most = max(most, running)
        return finished(handle(*arguments))  # type: ignore[arg-type]

    async def finished(outcome: Awaitable[object]) -> object:
        nonlocal running
        await gate.wait()
        try:
            return await outcome
        finally:
            running -= 1

    alice = await _logged_in(connector)
    monkeypatch.setattr(sockets, "handle", counted)
    tokens = []
    for _ in range(20):
        tokens += [await alice.send(FetchStatus()) for _ in range(10)]
        await asyncio.sleep(0.01)  # and they were read
    assert IN_FLIGHT_MAX - 10 < most <= IN_FLIGHT_MAX
    gate.set()
    for token in tokens:
        await alice.answer(token)
    assert IN_FLIGHT_MAX - 10 < most <= IN_FLIGHT_MAX


async def test_what_waits_while_a_socket_closes_is_not_begun(
    connector: WebSocketConnector, relay: RelayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that was held up meanwhile begins nothing behind the end."""
    gate, begun = asyncio.Event(), 0

    async def held(*arguments: object) -> object:
        nonlocal begun
        begun += 1
        await gate.wait()
        return await handle(*arguments)  # type: ignore[arg-type]

    alice = await _logged_in(connector)
    (socket,) = relay.hub.sockets()
    monkeypatch.setattr(sockets, "handle", held)
    monkeypatch.setattr(sockets, "IN_FLIGHT_MAX", 1)
    for _ in range(3):
        await alice.send(FetchStatus())
        await asyncio.sleep(0.01)  # each in a packet of its own
    socket.close_soon("going-away")
    gate.set()
    assert await _close_code(alice) == 1001
    assert begun == 1


async def test_a_failure_inside_the_relay_is_told_without_its_text(
    connector: WebSocketConnector, log_lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peer gets a code, the operator type and place, and nobody the exception's text."""

    async def fail(*_arguments: object) -> None:
        raise LookupError("alice's secret plans")

    alice = await _logged_in(connector)
    monkeypatch.setattr(sockets, "handle", fail)
    assert await alice.ask(FetchStatus()) == Refused("relay-failure")
    monkeypatch.undo()
    assert isinstance(await alice.ask(FetchStatus()), Status)
    (line,) = logged(log_lines.getvalue())
    assert (line["event"], line["error"]) == ("request-failed", "LookupError")
    assert any(place.startswith("test_hostile_frames.fail") for place in line["trace"])
    assert "plans" not in log_lines.getvalue()


async def test_a_failing_request_harms_no_other_of_its_packet(
    connector: WebSocketConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those before and behind it are answered, whether it fails at once or later."""
    alice, bob = await _logged_in(connector), await register(connector, "bob")
    monkeypatch.setattr(requests, "RULES", {**requests.RULES, FetchLists: None})  # at once
    monkeypatch.setattr(submission, "_check_shape", None)  # in its transaction
    frames = (
        FetchStatus(),
        FetchLists(alice.certificate.account_id),
        alice.letter(bob),
        FetchStatus(),
    )
    tokens = [await alice.send(frame) for frame in frames]
    answers = [await alice.answer(token) for token in tokens]
    failure = Refused("relay-failure")
    assert answers[1:3] == [failure, failure]
    assert [type(answer) for answer in (answers[0], answers[3])] == [Status, Status]


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_no_bytes_reach_the_log_or_stop_the_relay(
    relay: RelayProcess, log_lines: io.StringIO, frames: list[bytes]
) -> None:
    """Any frames are answered by refusals or a close; nothing of it is a failure."""
    async with WebSocketConnector(relay.address) as connector:
        mallory = make_phone("mallory")
        await mallory.connect(connector)
        try:
            for frame in frames:
                await mallory.connection.send(frame)
                await mallory.connection.receive()
        except NetworkError as end:
            assert end.details["close_code"] in {1006, 1007}
    assert logged(log_lines.getvalue()) == []
