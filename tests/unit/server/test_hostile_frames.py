"""Whatever a peer sends, it hurts only itself, and gets a code, never a traceback."""

from __future__ import annotations

import io
import json
from secrets import token_bytes

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.server.relay_devices import Device, make_phone, register

from untether.adapters.transport.address import socket_url
from untether.adapters.transport.websocket import WebSocketConnector
from untether.base.errors import NetworkError
from untether.base.limits import FRAME_MAX, REQUESTS_BURST
from untether.relay.requests import handle
from untether.server import sockets
from untether.server.config import Config, Quotas
from untether.server.relay_process import RelayProcess
from untether.wire.client_frames import FetchStatus, Request
from untether.wire.codec import encode
from untether.wire.server_frames import Refused, Status, Submitted, Welcome


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


@pytest.mark.parametrize(
    "frame",
    [b"", b"\xc1", b"garbage", token_bytes(300), b"\x92\xff\x90", b"\x91" * 5_000, b"\xde\xff\xff"],
)
async def test_garbage_ends_its_own_socket_only(
    connector: WebSocketConnector, frame: bytes
) -> None:
    """Without a token there is nobody to answer; another device notices nothing."""
    bob, mallory = await _logged_in(connector, "bob"), make_phone("mallory")
    await mallory.connect(connector)
    await mallory.connection.send(frame)
    assert await _close_code(mallory) == 1007
    assert isinstance(await bob.ask(FetchStatus()), Status)


async def test_a_truncated_frame_is_refused(connector: WebSocketConnector) -> None:
    """Every prefix of a request is answered by a refusal or a close."""
    whole = encode(Request(1, FetchStatus()))
    for length in range(len(whole)):
        mallory = make_phone("mallory")
        await mallory.connect(connector)
        await mallory.connection.send(whole[:length])
        assert await _close_code(mallory) == 1007


async def test_running_requests_are_answered_before_garbage_ends_the_socket(
    connector: WebSocketConnector,
) -> None:
    """Work that came before the malformed frame is done and told."""
    alice, bob = await _logged_in(connector), await register(connector, "bob")
    token = await alice.send(alice.letter(bob))
    await alice.connection.send(b"\xc1")
    assert isinstance(await alice.answer(token), Submitted)
    assert await _close_code(alice) == 1007


async def test_text_frames_close_the_socket(relay: RelayProcess) -> None:
    """Frames are binary."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(socket_url(relay.address)) as mallory,
    ):
        await mallory.receive()
        await mallory.send_str("hello")
        end = await mallory.receive()
        assert (end.type, end.data, end.extra) == (aiohttp.WSMsgType.CLOSE, 1003, "text-frame")


async def test_too_large_frames_close_the_socket(connector: WebSocketConnector) -> None:
    """One byte beyond the bound is not even collected."""
    mallory = make_phone("mallory")
    await mallory.connect(connector)
    await mallory.connection.send(bytes(FRAME_MAX + 1))
    assert await _close_code(mallory) == 1009


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


class TestFlood:
    """Ten thousand requests at once."""

    async def test_each_is_answered_and_most_are_refused(
        self, connector: WebSocketConnector
    ) -> None:
        """The burst is served, the rest is told when to come back, and others are served."""
        alice, bob = await _logged_in(connector), await _logged_in(connector, "bob")
        tokens = [await alice.send(FetchStatus()) for _ in range(10_000)]
        answers = [await alice.answer(token) for token in tokens]
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        assert {answer.code for answer in refused} == {"rate-limited"}
        assert all(answer.retry_after_ms > 0 for answer in refused)
        assert REQUESTS_BURST - 2 <= len(answers) - len(refused) < 5_000
        assert isinstance(await bob.ask(FetchStatus()), Status)


class TestUnlimited:
    """The same flood with the limit out of reach."""

    @pytest.fixture
    def config(self, config: Config) -> Config:
        """Raise the rate of a connection."""
        quotas = Quotas(requests_burst=100_000, requests_per_second=100_000)
        return Config(port=0, data=config.data, quotas=quotas)

    async def test_without_the_limit_all_are_served(self, connector: WebSocketConnector) -> None:
        """Twin: it is the rate that refuses."""
        alice = await _logged_in(connector)
        for token in [await alice.send(FetchStatus()) for _ in range(1_000)]:
            assert isinstance(await alice.answer(token), Status)


async def test_requests_in_flight_are_bounded(
    connector: WebSocketConnector, relay: RelayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many requests wait in the socket, only so many run at once."""
    most = running = 0

    async def counted(*arguments: object) -> object:
        nonlocal most, running
        running += 1
        most = max(most, running)
        try:
            return await handle(*arguments)  # type: ignore[arg-type]
        finally:
            running -= 1

    monkeypatch.setattr(sockets, "handle", counted)
    monkeypatch.setattr(sockets, "IN_FLIGHT_MAX", 5)
    alice = await _logged_in(connector)
    for token in [await alice.send(FetchStatus()) for _ in range(100)]:
        await alice.answer(token)
    assert most == 5


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
    (line,) = [json.loads(text) for text in log_lines.getvalue().splitlines()]
    assert (line["event"], line["error"]) == ("request-failed", "LookupError")
    assert any(place.startswith("test_hostile_frames.fail") for place in line["trace"])
    assert "plans" not in log_lines.getvalue()


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
    assert log_lines.getvalue() == ""
