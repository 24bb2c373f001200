"""Endpoints that never answer, and names that are never found, hold up only their like."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.unit.server.certificates import make_certificate

from untether.base.limits import (
    PUSH_HOSTS_MAX,
    PUSHES_AT_ONCE_MAX,
    PUSHES_TO_HOST_MAX,
    PUSHES_TO_STRANGERS_MAX,
)
from untether.base.secret_bytes import SecretBytes
from untether.crypto.es256 import SEED_LENGTH
from untether.server import push_service
from untether.server.push_service import Called, PushService
from untether.server.push_turns import Lane, PushTurns
from untether.server.relay_process import RelayProcess

HOST = "push.example.org"
NEVER_ANSWERS = ".never.example.org"
NEVER_FOUND = ".lost.example.org"
ATTACKERS = 3 * PUSHES_AT_ONCE_MAX
AT_ONCE_S = 5
QUIET_S = 0.5


@pytest.fixture
def lost() -> Iterator[threading.Event]:
    """Until this is set, some names are being looked up."""
    found = threading.Event()
    yield found
    found.set()


@pytest.fixture
async def service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: threading.Event
) -> AsyncIterator[PushService]:
    """The way to a push service that answers, and to servers that do not."""
    tls = make_certificate(tmp_path, HOST)
    monkeypatch.setenv("SSL_CERT_FILE", tls.certificate)
    monkeypatch.setattr(push_service, "is_public", lambda _: True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)
    runner = web.AppRunner(_answering())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    silent = await asyncio.start_server(_hold, "127.0.0.1", 0)
    addresses = {HOST: runner.addresses[0], NEVER_ANSWERS: silent.sockets[0].getsockname()}

    def getaddrinfo(host: str, *_: Any, **_more: Any) -> Any:
        if host.endswith(NEVER_FOUND):
            lost.wait()
            raise OSError("not found")
        address = addresses[NEVER_ANSWERS if host.endswith(NEVER_ANSWERS) else HOST]
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    async with PushService(
        SecretBytes(b"\x07" * SEED_LENGTH), "mailto:owner@example.org"
    ) as opened:
        yield opened
    silent.close()
    await runner.cleanup()


def _answering() -> web.Application:
    async def take(_: web.Request) -> web.Response:
        return web.Response(status=201)

    app = web.Application()
    app.router.add_post("/{path:.*}", take)
    return app


async def _hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def call(service: PushService, host: str) -> Called:
    """Call an endpoint of a host."""
    return await service.call(f"https://{host}/send", RelayProcess.now())


@contextmanager
def calls(service: PushService, hosts: list[str]) -> Iterator[None]:
    """Have all these called meanwhile."""
    tasks = [asyncio.get_running_loop().create_task(call(service, host)) for host in hosts]
    yield
    for task in tasks:
        task.cancel()


def crowd(domain: str) -> list[str]:
    """Return more hosts than there are places."""
    return [f"a{number}{domain}" for number in range(ATTACKERS)]


ATTACKS = {
    "many hosts that never answer": crowd(NEVER_ANSWERS),
    "one host that never answers": [f"a{NEVER_ANSWERS}"] * ATTACKERS,
    "many names that are never found": crowd(NEVER_FOUND),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_who_does_not_answer_holds_up_nobody_else(attack: str, service: PushService) -> None:
    """A push service that answers is called at once, whoever else waits."""
    assert await call(service, HOST) is Called.TAKEN
    with calls(service, ATTACKS[attack]):
        await asyncio.sleep(QUIET_S)
        async with asyncio.timeout(AT_ONCE_S):
            assert await call(service, HOST) is Called.TAKEN


@pytest.mark.parametrize("attack", ATTACKS)
async def test_twin_with_one_lane_everybody_waits(
    attack: str, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All places are theirs until their time is over."""
    lane = Lane(PUSHES_AT_ONCE_MAX)
    monkeypatch.setattr(PushTurns, "_lane", lambda *_: lane)
    monkeypatch.setattr("untether.server.push_turns.PUSHES_TO_HOST_MAX", PUSHES_AT_ONCE_MAX)
    assert await call(service, HOST) is Called.TAKEN
    with calls(service, ATTACKS[attack]):
        await asyncio.sleep(QUIET_S)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(QUIET_S):
                await call(service, HOST)
    lane.threads.shutdown(wait=False, cancel_futures=True)


async def test_a_host_that_answered_before_does_not_get_all_places(service: PushService) -> None:
    """It answered once to be trusted, and then no more."""
    evil = f"a{NEVER_ANSWERS}"
    service._turns.called(evil, is_prompt=True)
    service._turns.called(HOST, is_prompt=True)
    with calls(service, [evil] * ATTACKERS):
        await asyncio.sleep(QUIET_S)
        async with asyncio.timeout(AT_ONCE_S):
            assert await call(service, HOST) is Called.TAKEN


async def most_at_once(turns: PushTurns, hosts: list[str]) -> int:
    """Return how many of these may be called at the same time."""
    inside = 0

    async def stay(host: str) -> None:
        nonlocal inside
        async with turns.turn(host):
            inside += 1
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(stay(host)) for host in hosts]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return inside


async def test_places_are_shared() -> None:
    """One host, hosts that answered at once, and all others have each their part."""
    turns = PushTurns()
    assert await most_at_once(turns, ["one"] * ATTACKERS) == PUSHES_TO_HOST_MAX
    strangers = [f"stranger{number}" for number in range(ATTACKERS)]
    assert await most_at_once(turns, strangers) == PUSHES_TO_STRANGERS_MAX
    for host in strangers:
        turns.called(host, is_prompt=True)
    most = await most_at_once(turns, strangers)
    assert most + PUSHES_TO_STRANGERS_MAX == PUSHES_AT_ONCE_MAX
    turns.called(strangers[0], is_prompt=False)
    for host in strangers[1:]:
        turns.called(host, is_prompt=False)
    assert await most_at_once(turns, strangers) == PUSHES_TO_STRANGERS_MAX
    turns.close()


async def test_hosts_that_nobody_calls_any_more_are_forgotten() -> None:
    """There are as many names as somebody wants to make."""
    turns = PushTurns()
    for number in range(2 * PUSH_HOSTS_MAX):
        turns.called(f"a{number}.example.org", is_prompt=True)
        turns.called(HOST, is_prompt=True)
        async with turns.turn(f"a{number}.example.org"):
            pass
    assert len(turns._prompt_hosts) == PUSH_HOSTS_MAX
    assert HOST in turns._prompt_hosts
    assert not turns._of_host
    turns.close()
