"""Who asks too fast is read more slowly, and costs others nothing (spec 08, "Limits")."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import aiohttp
import pytest
from tests.unit.server.relay_devices import register

from untether.adapters.transport.socket_url import socket_url
from untether.adapters.transport.websocket import WebSocketConnector
from untether.base.limits import REQUEST_BYTES
from untether.server.config import Config, Quotas
from untether.server.pacing import Pace, ReadingPace
from untether.server.relay_process import RelayProcess
from untether.wire.client_frames import Acknowledge, FetchStatus, Request
from untether.wire.codec import encode
from untether.wire.packets import Unreadable, frames_of, packet_of
from untether.wire.records import Stamp
from untether.wire.server_frames import Status, Welcome

BURST, PER_SECOND, ASKED = 60, 120, 240

STATUS = encode(Request(1, FetchStatus()))
UNREADABLE = b"\x92\x4d\x91\xa5hello"  # [77, ["hello"]]

# The relay would read a flood to its end before it answered a goodbye.
HANGS_UP_AT_ONCE = aiohttp.ClientWSTimeout(ws_close=0.1)


def test_a_burst_is_free_and_then_each_takes_its_time() -> None:
    """What was not used of the pace comes back with time, up to the burst."""
    pace = Pace(10, 5)
    assert pace.take(10, now=100) == 0
    assert pace.take(1, now=100) == pytest.approx(0.2)
    assert pace.take(10, now=102.2) == pytest.approx(0)
    assert pace.take(30, now=1_000) == pytest.approx(4)


def test_acknowledgements_keep_nobody_waiting() -> None:
    """Who asked as much as it may still empties its mailbox; large packets count for more."""
    asked = [Request(1, FetchStatus())]
    emptied = [Request(0, Acknowledge(Stamp(0, 0)))] * 60
    pace = ReadingPace(10, 10)
    assert pace.after_packet(asked * 10, 1_000, now=5) == 0
    assert pace.after_packet(emptied, 1_000, now=5) == 0
    assert pace.after_packet([Unreadable(1, "malformed")], 1_000, now=5) == pytest.approx(0.1)
    assert pace.after_ping(now=5) == pytest.approx(0.2)
    assert pace.after_packet(asked, 8 * REQUEST_BYTES, now=5) == pytest.approx(1.1)
    assert pace.after_packet(emptied * 20, 1_000, now=5) > 0.1


@pytest.fixture
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Config:
    """A relay that rests early, or never."""
    return Config(port=0, data=str(tmp_path), quotas=request.param)


@asynccontextmanager
async def opened(relay: RelayProcess) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a socket that sends any bytes, and read the challenge."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            socket_url(relay.address), autoping=False, timeout=HANGS_UP_AT_ONCE
        ) as socket,
    ):
        await socket.receive()
        yield socket


async def flood(socket: aiohttp.ClientWebSocketResponse, kind: str) -> int:
    """Ask much at once and wait for all answers; return how many came."""
    if kind in {"ping", "pong"}:
        for _ in range(ASKED):
            await (socket.ping() if kind == "ping" else socket.pong())
        await socket.send_bytes(packet_of([STATUS]))
    else:
        frame = STATUS if kind == "request" else UNREADABLE
        for _ in range(ASKED // 60):
            await socket.send_bytes(packet_of([frame] * 60))
        await socket.send_bytes(packet_of([STATUS]))
    pongs = answers = 0
    wanted = 1 if kind in {"ping", "pong"} else ASKED + 1
    while answers < wanted:
        received = await socket.receive(timeout=10)
        if received.type is aiohttp.WSMsgType.PONG:
            pongs += 1
        else:
            assert received.type is aiohttp.WSMsgType.BINARY, received
            answers += len(frames_of(received.data))
    return pongs + answers


PACED = pytest.mark.parametrize(
    "config", [Quotas(requests_burst=BURST, requests_per_second=PER_SECOND)], indirect=True
)
UNPACED = pytest.mark.parametrize(
    "config", [Quotas(requests_burst=100_000, requests_per_second=100_000)], indirect=True
)
KINDS = pytest.mark.parametrize("kind", ["request", "unreadable", "ping", "pong"])


@PACED
@KINDS
async def test_a_flood_is_read_as_fast_as_is_allowed(relay: RelayProcess, kind: str) -> None:
    """Everything is answered, in its time, whatever it consists of."""
    async with opened(relay) as mallory:
        began = monotonic()
        await flood(mallory, kind)
        assert monotonic() - began > (ASKED - BURST - 60) / PER_SECOND


@UNPACED
@KINDS
async def test_twin_without_the_pace_a_flood_is_read_at_once(
    relay: RelayProcess, kind: str
) -> None:
    """It is the pace that holds it up."""
    async with opened(relay) as mallory:
        began = monotonic()
        await flood(mallory, kind)
        assert monotonic() - began < (ASKED - BURST - 60) / PER_SECOND


@PACED
async def test_others_are_served_meanwhile(
    relay: RelayProcess, connector: WebSocketConnector
) -> None:
    """A flood holds up itself alone."""
    alice = await register(connector, "alice")
    assert isinstance(await alice.log_in(connector), Welcome)
    async with opened(relay) as mallory:
        for _ in range(100):
            await mallory.send_bytes(packet_of([UNREADABLE] * 60))
        for _ in range(10):
            began = monotonic()
            assert isinstance(await alice.ask(FetchStatus()), Status)
            assert monotonic() - began < 0.5
