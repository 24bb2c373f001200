"""A relay wakes closed browsers: real sockets, and a push service with a certificate of its own."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import stat
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.unit.server.certificates import make_certificate
from tests.unit.server.relay_devices import Device, real_now, register
from tests.unit.test_es256 import verify

from untether.adapters.transport.websocket import WebSocketConnector
from untether.base.errors import PlatformError
from untether.base.identifiers import MINUTE_MS
from untether.base.limits import PUSH_ENDPOINT_MAX, PUSH_KEPT_MS, PUSH_PAUSE_MS
from untether.relay.push import endpoint_of
from untether.server import push_service, web_push
from untether.server.config import Config, check
from untether.server.data_directory import PUSH_KEY_NAME
from untether.server.driver import serving
from untether.server.event_log import Log
from untether.server.push_service import is_public
from untether.server.relay_process import RelayProcess
from untether.wire.client_frames import FetchStatus, SubscribePush, UnsubscribePush
from untether.wire.server_frames import Deliveries, Done, Refused, Status

HOST = "push.example.org"
ENDPOINT = f"https://{HOST}/send/a%2Fb:c"
CONTACT = "mailto:owner@example.org"
PATIENCE_S = 10
QUIET_S = 0.3


class Service:
    """A push service: what it was sent, and what it answers."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.status = 201
        self.answered = asyncio.Event()
        self.answered.set()

    async def take(self, request: web.Request) -> web.Response:
        """Note a call and answer it."""
        body = await request.read()
        seen = {"path": request.raw_path, "method": request.method, "body": body}
        self.calls.put_nowait({**seen, "headers": request.headers})
        await self.answered.wait()
        return web.Response(status=self.status, headers={"Location": f"https://{HOST}/elsewhere"})

    async def call(self) -> dict[str, Any]:
        """Wait for the next call."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.calls.get()

    async def is_quiet(self) -> bool:
        """Tell whether nobody calls for a while."""
        await asyncio.sleep(QUIET_S)
        return self.calls.empty()


@pytest.fixture
def config(config: Config) -> Config:
    """A relay that wakes devices."""
    return Config(port=0, data=config.data, push_contact=CONTACT)


@pytest.fixture
async def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """A push service of this machine, which the machine's resolver finds by its name."""
    (tmp_path / "push").mkdir()
    tls = make_certificate(tmp_path / "push", HOST)
    monkeypatch.setenv("SSL_CERT_FILE", tls.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)
    service, app = Service(), web.Application()
    app.router.add_route("*", "/{path:.*}", service.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    address, found = runner.addresses[0], socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host == HOST:
            return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)]
        return found(host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield service
    service.answered.set()
    await runner.cleanup()


@pytest.fixture
def _all_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the push service of this machine count as one of the internet."""
    monkeypatch.setattr(push_service, "is_public", lambda _: True)


@pytest.fixture
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a device be called again at once."""
    monkeypatch.setattr(web_push, "PUSH_PAUSE_MS", 1)
    monkeypatch.setattr(web_push, "PUSH_RETRY_MS", 1)


@pytest.fixture
async def alice(service: Service, relay: RelayProcess, connector: WebSocketConnector) -> Device:
    """Alice's browser: it has subscribed, and is closed."""
    alice = await register(connector, "alice")
    await alice.log_in(connector)
    assert isinstance(await alice.ask(SubscribePush(ENDPOINT)), Done)
    await leave(alice, relay)
    return alice


@pytest.fixture
async def bob(relay: RelayProcess, connector: WebSocketConnector) -> Device:
    """Bob, who writes."""
    bob = await register(connector, "bob")
    await bob.log_in(connector)
    return bob


async def leave(device: Device, relay: RelayProcess) -> None:
    """Close the socket of a device and wait until the relay knows."""
    await device.connection.close()
    await until(lambda: not relay.hub.is_connected(device.certificate.address))


async def a_failed_call(service: Service, relay: RelayProcess) -> None:
    """Wait until the service was called, and the relay has counted the failure."""
    await service.call()
    await until(lambda: relay.metrics.web_pushes["failed"] == 1)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 (what it waits for has no event)
            await asyncio.sleep(0.01)


async def come_and_go(device: Device, relay: RelayProcess, connector: WebSocketConnector) -> None:
    """Log in, take no mail, and leave."""
    await device.log_in(connector)
    await leave(device, relay)


async def known(relay: RelayProcess, device: Device) -> str | None:
    """Return the endpoint that is kept for a device."""
    return await relay.store.transact(endpoint_of, device.certificate.address)


pytestmark = pytest.mark.usefixtures("_without_a_web_app")
public = pytest.mark.usefixtures("_all_is_public")
at_once = pytest.mark.usefixtures("_all_is_public", "_no_pauses")


@public
async def test_a_closed_browser_is_woken_once(
    service: Service, relay: RelayProcess, alice: Device, bob: Device
) -> None:
    """An empty body with a proof of this relay, however much mail comes."""
    for _ in range(3):
        await bob.write(alice)
    call = await service.call()
    assert (call["method"], call["path"], call["body"]) == ("POST", "/send/a%2Fb:c", b"")
    headers = call["headers"]
    assert headers["TTL"] == str(PUSH_KEPT_MS // 1000)
    assert (headers["Topic"], headers["Urgency"]) == ("mail", "high")
    check_proof(headers["Authorization"], relay.rules.push_key)
    assert await service.is_quiet()
    assert b'untether_web_pushes_total{result="taken"} 1.0' in relay.metrics.exposition()


def check_proof(authorization: str, push_key: bytes | None) -> None:
    """Check what RFC 8292 wants: who calls, whom, until when, signed by the key of the status."""
    scheme, _, rest = authorization.partition(" ")
    parameters = dict(one.strip().split("=", 1) for one in rest.split(","))
    assert (scheme, unpadded(parameters["k"])) == ("vapid", push_key)
    signed, _, signature = parameters["t"].rpartition(".")
    header, claims = (json.loads(unpadded(part)) for part in signed.split("."))
    assert header == {"typ": "JWT", "alg": "ES256"}
    assert (claims["aud"], claims["sub"]) == (f"https://{HOST}", CONTACT)
    assert 0 < claims["exp"] - real_now() / 1000 <= 24 * 3600
    verify(push_key or b"", signed.encode(), unpadded(signature))


def unpadded(text: str) -> bytes:
    """Read base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@at_once
async def test_it_is_woken_again_after_it_was_here(
    service: Service, relay: RelayProcess, connector: WebSocketConnector, alice: Device, bob: Device
) -> None:
    """Connected it gets mail by its socket; whoever leaves with all of it is not called."""
    await bob.write(alice)
    await service.call()
    mail = await alice.receive_mail(connector)
    await bob.write(alice)
    last = (await alice.push(Deliveries)).entries[-1].stamp
    assert mail.entries[-1].stamp < last
    assert await service.is_quiet()
    await leave(alice, relay)
    await service.call()
    mail = await alice.receive_mail(connector, acknowledged=last)
    assert not mail.entries
    await leave(alice, relay)
    assert await service.is_quiet()
    await bob.write(alice)
    await service.call()


@at_once
async def test_news_while_a_call_is_answered_are_not_lost(
    service: Service, relay: RelayProcess, connector: WebSocketConnector, alice: Device, bob: Device
) -> None:
    """The browser came and went, and was written to, before the push service had answered."""
    service.answered.clear()
    await bob.write(alice)
    await service.call()
    await come_and_go(alice, relay, connector)
    await bob.write(alice)
    assert await service.is_quiet()
    service.answered.set()
    await service.call()
    assert await service.is_quiet()


@at_once
@pytest.mark.parametrize("status", [404, 410])
async def test_an_endpoint_that_is_gone_is_forgotten(
    status: int, service: Service, relay: RelayProcess, alice: Device, bob: Device
) -> None:
    """The browser has unsubscribed; it is not called any more."""
    service.status = status
    await bob.write(alice)
    await service.call()
    await until(lambda: relay.metrics.web_pushes["gone"] == 1)
    await bob.write(alice)
    assert await service.is_quiet()
    assert await known(relay, alice) is None


@at_once
@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_failed_call_is_made_again_at_the_next_mail(
    status: int, service: Service, relay: RelayProcess, alice: Device, bob: Device
) -> None:
    """The endpoint stays."""
    service.status = status
    await bob.write(alice)
    await a_failed_call(service, relay)
    service.status = 201
    await bob.write(alice)
    await service.call()
    assert await known(relay, alice) == ENDPOINT
    await bob.write(alice)
    assert await service.is_quiet()


@public
async def test_a_failed_call_is_not_made_again_at_each_mail(
    service: Service, relay: RelayProcess, alice: Device, bob: Device
) -> None:
    """Whoever answers with an error may be somebody who never asked for calls."""
    service.status = 500
    for _ in range(5):
        await bob.write(alice)
    await a_failed_call(service, relay)
    await bob.write(alice)
    assert await service.is_quiet()


@public
async def test_nobody_is_sent_elsewhere(
    service: Service, relay: RelayProcess, alice: Device, bob: Device
) -> None:
    """A redirection could lead anywhere."""
    service.status = 307
    await bob.write(alice)
    await a_failed_call(service, relay)
    assert await service.is_quiet()


@public
async def test_a_push_service_that_does_not_answer_is_left(
    service: Service,
    alice: Device,
    bob: Device,
    relay: RelayProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The relay serves on meanwhile, and stops at once."""
    service.answered.clear()
    await bob.write(alice)
    await service.call()
    assert isinstance(await bob.ask(FetchStatus()), Status)


@public
async def test_whoever_unsubscribed_is_not_woken(
    service: Service, relay: RelayProcess, connector: WebSocketConnector, alice: Device, bob: Device
) -> None:
    """By the device's own word."""
    await alice.log_in(connector)
    assert isinstance(await alice.ask(UnsubscribePush()), Done)
    await leave(alice, relay)
    await bob.write(alice)
    assert await service.is_quiet()


# --- attacks (docs/attacks.md) ----------------------------------------------------------------


async def test_nothing_inside_the_own_network_is_called(
    service: Service, relay: RelayProcess, alice: Device, bob: Device
) -> None:
    """A public name that leads to this machine is not called; nobody learns what answers there."""
    await bob.write(alice)
    await until(lambda: relay.metrics.web_pushes["unanswered"] == 1)
    assert await service.is_quiet()


@public
async def test_twin_without_the_look_at_addresses_the_relay_calls_its_own_network(
    service: Service, relay: RelayProcess, alice: Device, bob: Device
) -> None:
    """Whoever names the endpoint reaches what only the relay can reach."""
    await bob.write(alice)
    assert (await service.call())["path"] == "/send/a%2Fb:c"


@public
async def test_who_comes_and_goes_causes_no_flood(
    service: Service, relay: RelayProcess, connector: WebSocketConnector, alice: Device, bob: Device
) -> None:
    """Mail that is not taken, and a device that comes and goes: one call, then a pause."""
    await bob.write(alice)
    await service.call()
    for _ in range(5):
        await come_and_go(alice, relay, connector)
    assert await service.is_quiet()


@at_once
async def test_twin_without_the_pause_each_coming_and_going_is_a_call(
    service: Service, relay: RelayProcess, connector: WebSocketConnector, alice: Device, bob: Device
) -> None:
    """The endpoint may be anybody's; the relay would flood them."""
    await bob.write(alice)
    await service.call()
    for _ in range(5):
        await come_and_go(alice, relay, connector)
        await service.call()


@pytest.fixture
def pauses(_all_is_public: None, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How long devices shall rest; none of them does."""
    noted: list[int] = []
    monkeypatch.setattr(web_push.WebPush, "_rest", lambda *given: noted.append(given[2]))
    return noted


async def test_who_keeps_failing_is_called_less_and_less(
    pauses: list[int], service: Service, relay: RelayProcess, alice: Device, bob: Device
) -> None:
    """From a minute up to an hour."""
    service.status = 500
    for _ in range(8):
        await a_call(relay, bob.write(alice))
    assert [pause // MINUTE_MS for pause in pauses] == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.usefixtures("service")
async def test_who_answers_late_is_called_less_and_less(
    pauses: list[int],
    relay: RelayProcess,
    connector: WebSocketConnector,
    *,
    alice: Device,
    bob: Device,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has taken the call, and kept everybody waiting."""
    monkeypatch.setattr(push_service, "PUSH_PROMPT_MS", -1)
    await a_call(relay, bob.write(alice))
    for _ in range(2):
        await a_call(relay, come_and_go(alice, relay, connector))
    assert relay.metrics.web_pushes["late"] == 3
    assert [pause // MINUTE_MS for pause in pauses] == [1, 2, 4]


async def test_one_success_undoes_no_failures(
    pauses: list[int],
    service: Service,
    relay: RelayProcess,
    connector: WebSocketConnector,
    *,
    alice: Device,
    bob: Device,
) -> None:
    """Whoever answers every other time would keep the relay waiting every other time."""
    service.status = 500
    await a_call(relay, bob.write(alice))
    for _ in range(2):
        service.status = 201
        await a_call(relay, bob.write(alice))
        service.status = 500
        await a_call(relay, come_and_go(alice, relay, connector))
    assert pauses == [MINUTE_MS, PUSH_PAUSE_MS, 2 * MINUTE_MS, PUSH_PAUSE_MS, 4 * MINUTE_MS]


async def test_failures_are_forgiven(
    pauses: list[int],
    service: Service,
    relay: RelayProcess,
    *,
    alice: Device,
    bob: Device,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twice the longest pause after the last one."""
    monkeypatch.setattr(web_push, "PUSH_RETRY_MAX_MS", 1_000)
    monkeypatch.setattr(web_push, "PUSH_RETRY_MS", 600)
    service.status = 500
    await a_call(relay, bob.write(alice))
    await a_call(relay, bob.write(alice))
    await asyncio.sleep(2.2)
    await a_call(relay, bob.write(alice))
    assert pauses == [600, 1_000, 600]


async def a_call(relay: RelayProcess, why: Awaitable[object]) -> None:
    """Do what has the relay call, and wait until it has."""
    called = relay.metrics.web_pushes.total()
    await why
    await until(lambda: relay.metrics.web_pushes.total() > called)


@pytest.mark.usefixtures("service")
async def test_where_nobody_answers_nobody_is_called_any_more(
    relay: RelayProcess, alice: Device, bob: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After many calls in a row; a device gives its endpoint again when it comes."""
    monkeypatch.setattr(web_push, "PUSH_UNANSWERED_MAX", 3)
    monkeypatch.setattr(web_push, "PUSH_RETRY_MS", 1)
    for _ in range(3):
        assert await known(relay, alice) == ENDPOINT
        await a_call(relay, bob.write(alice))
    await bob.write(alice)
    assert isinstance(await bob.ask(FetchStatus()), Status)
    assert await known(relay, alice) is None


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.7", "10.1.2.3", "172.16.0.1", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1"),
        *("192.0.2.1", "198.18.0.1", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1"),
        *("::ffff:93.184.216.34", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::"),
        *("2001:0:7f00:1::", "fe80::1", "fe80::1%eth0", "fec0::1", "fd00::1", "ff02::1"),
        *("192.0.0.9", "192.0.0.10", "192.0.0.170", "192.31.196.1", "192.52.193.1"),
        *("192.88.99.1", "192.175.48.1", "2001:1::1", "2001:3::1", "2001:4:112::1", "2001:20::1"),
        *("2620:4f:8000::1", "3fff::1", "3fff:fff::1", "4000::1", "5f00::1"),
        *("2001:db8::1", "push.example.org", ""),
    ],
)
def test_other_addresses_are_not_public(address: str) -> None:
    """Neither those of a network's inside, nor what stands for one, nor what is none."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "192.0.66.2", "2606:4700:4700::1111", "2001:4860::8888"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    """Push services live there."""
    assert is_public(address)


# --- the relay's own key, and the switch ------------------------------------------------------


async def test_the_key_stays_over_restarts(config: Config) -> None:
    """It is made once, and only the relay's user reads it."""
    keys = set()
    for _ in range(2):
        async with serving(config, Log(StringIO())) as relay:
            keys.add(relay.rules.push_key)
    (key,) = keys
    assert key is not None
    mode = stat.S_IMODE((config.data_directory / PUSH_KEY_NAME).stat().st_mode)
    assert mode == 0o600


async def test_a_damaged_key_is_told(config: Config) -> None:
    """Another key would silently end all subscriptions."""
    path = config.data_directory / PUSH_KEY_NAME
    for content in (b"", b"short", bytes(100)):
        path.write_bytes(content)
        with pytest.raises(PlatformError) as caught:
            async with serving(config, Log(StringIO())):
                pass
        assert caught.value.code == "io-error"
        assert PUSH_KEY_NAME in caught.value.message


@pytest.mark.parametrize("contact", ["owner@example.org", "mailto:", "http://x.example", "tel:1"])
def test_a_contact_that_is_none_is_refused(contact: str) -> None:
    """Push services refuse calls of nobody."""
    with pytest.raises(Exception, match="push_contact"):
        check(Config(push_contact=contact))


def test_a_contact_is_an_address_of_mail_or_a_page() -> None:
    """As RFC 8292 has it."""
    for contact in ("", CONTACT, "https://example.org/contact"):
        check(Config(push_contact=contact))


class TestOff:
    """Without a contact."""

    @pytest.fixture
    def config(self, config: Config) -> Config:
        """Name no contact."""
        return Config(port=0, data=config.data)

    @public
    async def test_nobody_is_woken(
        self,
        service: Service,
        relay: RelayProcess,
        connector: WebSocketConnector,
        bob: Device,
    ) -> None:
        """No key is made, no endpoint is taken, and nothing is called."""
        alice = await register(connector, "alice")
        await alice.log_in(connector)
        assert await alice.ask(SubscribePush(ENDPOINT)) == Refused("push-off")
        status = await alice.ask(FetchStatus())
        assert isinstance(status, Status)
        assert status.push_key is None
        await leave(alice, relay)
        await bob.write(alice)
        assert await service.is_quiet()
        assert not (relay.config.data_directory / PUSH_KEY_NAME).exists()


async def test_an_endpoint_without_end_is_no_frame(
    relay: RelayProcess, connector: WebSocketConnector
) -> None:
    """It is refused before anybody looks at it."""
    alice = await register(connector, "alice")
    await alice.log_in(connector)
    long = f"{ENDPOINT}{'x' * PUSH_ENDPOINT_MAX}"
    assert await alice.ask(SubscribePush(long)) == Refused("malformed")
