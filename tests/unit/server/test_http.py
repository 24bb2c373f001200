"""The HTTP face: health that means it, metrics for this machine, TLS that is verified."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from tests.unit.server.certificates import make_certificate
from tests.unit.server.relay_devices import make_phone, register

from untether.adapters.transport.websocket import WebSocketConnector
from untether.base.errors import LocalError, NetworkError, PlatformError
from untether.base.identifiers import SECOND_MS
from untether.base.limits import HEALTH_KEPT_MS
from untether.server import app, housekeeping
from untether.server.app import peer_address
from untether.server.config import Config
from untether.server.driver import serving
from untether.server.event_log import Log
from untether.server.housekeeping import clear_expired, measure_mailboxes
from untether.server.relay_process import RelayProcess
from untether.server.web_headers import HEADERS, POLICY
from untether.wire.client_frames import FetchStatus
from untether.wire.server_frames import Status, Welcome


@pytest.fixture
async def http(relay: RelayProcess) -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client at the relay's address."""
    async with aiohttp.ClientSession(relay.address) as session:
        yield session


async def _text(http: aiohttp.ClientSession, path: str) -> tuple[int, str]:
    async with http.get(path) as answer:
        return answer.status, await answer.text()


async def test_the_root_says_what_this_is(http: aiohttp.ClientSession, relay: RelayProcess) -> None:
    """A person who opens the address learns what it is and how to use it."""
    status, text = await _text(http, "/")
    assert status == 200
    assert f"--server {relay.address}" in text


async def test_every_answer_has_the_policy(http: aiohttp.ClientSession) -> None:
    """Any answer can be opened in a browser, in the origin of the app."""
    for path in ("/", "/healthz", "/metrics", "/v1/socket", "/nothing"):
        async with http.get(path) as answer:
            assert answer.headers["Content-Security-Policy"] == POLICY, path


@pytest.mark.parametrize(
    "request_",
    [
        f"GET / HTTP/1.1\r\nHost: here\r\nX-Long: {'x' * 70_000}\r\n\r\n",
        f"GET /{'x' * 70_000} HTTP/1.1\r\nHost: here\r\n\r\n",
        "G@T / HTTP/1.1\r\nHost: here\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: here\r\nbad header\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: here\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2000\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: here\r\nExpect: nothing\r\n\r\n",
        "GET /v1/socket HTTP/1.1\r\nHost: here\r\nUpgrade: other\r\nConnection: upgrade\r\n\r\n",
    ],
    ids=["header", "path", "method", "line", "length", "body", "expect", "upgrade"],
)
async def test_what_is_no_request_is_answered_under_the_policy(
    request_: str, relay: RelayProcess
) -> None:
    """Also what never reaches the application."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(relay.address.rpartition(":")[2])
    )
    writer.write(request_.encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()
    assert head.startswith(("HTTP/1.0 4", "HTTP/1.1 4"))
    for name, value in HEADERS.items():
        assert head.count(f"\r\n{name}: {value}\r\n") == 1, head


async def test_a_relay_without_the_app_says_so_once(
    http: aiohttp.ClientSession, log_lines: io.StringIO
) -> None:
    """The operator finds it in the log, whoever opens the address in the greeting."""
    assert "make webapp" in (await _text(http, "/"))[1]
    assert log_lines.getvalue().count('"no-web-app"') == 1


async def test_health_means_that_the_store_commits(
    http: aiohttp.ClientSession, relay: RelayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay whose disk is full is not healthy, and says so without a traceback."""
    assert await _text(http, "/healthz") == (200, "ok\n")

    async def full(*_arguments: object) -> None:
        raise PlatformError("disk-full", "The relay's disk is full.")

    monkeypatch.setattr(relay.store, "transact", full)
    await asyncio.sleep(HEALTH_KEPT_MS / SECOND_MS)
    assert await _text(http, "/healthz") == (503, "the store does not commit\n")


def _commits(metrics: tuple[int, str]) -> float:
    (count,) = re.findall(r"^untether_commit_batch_size_count (\S+)", metrics[1], re.MULTILINE)
    return float(count)


async def test_whoever_asks_for_health_without_end_costs_no_commits(
    http: aiohttp.ClientSession, relay: RelayProcess
) -> None:
    """Anybody may ask; the store commits once a second for all of them."""
    commits = _commits(await _text(http, "/metrics"))
    answers = await asyncio.gather(*(_text(http, "/healthz") for _ in range(50)))
    assert set(answers) == {(200, "ok\n")}
    assert 1 <= _commits(await _text(http, "/metrics")) - commits <= 2


async def test_metrics_count_what_happened(
    http: aiohttp.ClientSession, relay: RelayProcess, connector: WebSocketConnector
) -> None:
    """One message leaves its traces, and no name."""
    alice, bob = await register(connector, "alice"), await register(connector, "bob")
    await alice.log_in(connector)
    await alice.write(bob)
    await measure_mailboxes(relay)
    await bob.receive_mail(connector)
    await clear_expired(relay)
    _, text = await _text(http, "/metrics")
    for line in (
        'untether_connections{principal="device"} 2.0',
        'untether_logins_total{result="welcome"} 2.0',
        'untether_verdicts_total{verdict="accepted"} 1.0',
        "untether_submissions_total 1.0",
        "untether_deliveries_total 1.0",
        "untether_mailbox_entries 1.0",
        'untether_commit_batch_size_bucket{le="1.0"}',
        "untether_request_seconds_count 6.0",
    ):
        assert line in text, text
    assert "alice" not in text
    assert "bob" not in text


@pytest.mark.parametrize("path", ["/metrics/", "/v2/socket", "/../etc/passwd", "/%00"])
async def test_other_paths_are_not_found(http: aiohttp.ClientSession, path: str) -> None:
    """There is nothing else, and nothing fails."""
    assert (await _text(http, path))[0] == 404


async def test_a_connection_that_asks_nothing_is_closed(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a request holds a place only for a while; a device's quiet socket stays."""
    monkeypatch.setattr(housekeeping, "REQUEST_MS", 50)
    async with (
        serving(config, Log(io.StringIO())) as relay,
        WebSocketConnector(relay.address) as connector,
    ):
        alice = await register(connector, "alice")
        assert isinstance(await alice.log_in(connector), Welcome)
        port = int(relay.address.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\nX-")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
        assert isinstance(await alice.ask(FetchStatus()), Status)


async def test_a_socket_needs_an_upgrade(http: aiohttp.ClientSession) -> None:
    """A browser that opens the socket's path gets a client error."""
    assert (await _text(http, "/v1/socket"))[0] == 400


async def test_metrics_are_for_this_machine(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes from elsewhere is refused."""
    monkeypatch.setattr(app, "peer_address", lambda *_: "192.0.2.7")
    assert (await _text(http, "/metrics"))[0] == 403


class TestPublicMetrics:
    """The operator may open them."""

    @pytest.fixture
    def config(self, config: Config) -> Config:
        """Say so in the configuration."""
        return Config(port=0, data=config.data, public_metrics=True)

    async def test_others_may_see_them(
        self, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Twin: with the check off, the same visitor gets the figures."""
        monkeypatch.setattr(app, "peer_address", lambda *_: "192.0.2.7")
        assert (await _text(http, "/metrics"))[0] == 200


def _peer(remote: str, headers: Mapping[str, str], *trusted: str) -> str:
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=remote)
    return peer_address(request, trusted)


def test_only_a_trusted_proxy_speaks_for_others() -> None:
    """A guest can't choose whose quota it uses; behind a proxy only the last entry counts."""
    claim = {"X-Forwarded-For": "10.9.9.9, 192.0.2.7"}
    assert _peer("198.51.100.1", claim) == "198.51.100.1"
    assert _peer("127.0.0.1", claim, "127.0.0.1") == "192.0.2.7"
    assert _peer("127.0.0.1", {}, "127.0.0.1") == "127.0.0.1"
    assert _peer("127.0.0.1", {"X-Forwarded-For": "nonsense"}, "127.0.0.1") == "unknown"


def test_ipv6_guests_count_by_their_network() -> None:
    """One customer has 2⁶⁴ addresses and one quota."""
    assert _peer("2001:db8:1:2::3", {}) == _peer("2001:db8:1:2:ffff::1", {})
    assert _peer("2001:db8:1:2::3", {}) != _peer("2001:db8:1:3::3", {})
    assert _peer("::1", {}) == "::1"


class TestTls:
    """A relay with a certificate of its own."""

    @pytest.fixture
    def config(self, tmp_path: Path) -> Config:
        """Serve TLS with a self-signed certificate."""
        return Config(port=0, data=str(tmp_path), tls=make_certificate(tmp_path, "localhost"))

    async def test_a_device_that_knows_the_authority_logs_in(
        self, relay: RelayProcess, config: Config
    ) -> None:
        """The login signs the https origin, and the relay takes only that."""
        assert config.tls is not None
        assert relay.address.startswith("https://localhost:")
        ca_file = Path(config.tls.certificate)
        async with WebSocketConnector(relay.address, ca_file=ca_file) as connector:
            alice = await register(connector, "alice")
            assert isinstance(await alice.log_in(connector), Welcome)

    async def test_an_unknown_certificate_is_refused(self, relay: RelayProcess) -> None:
        """Without the authority the device does not even send a frame."""
        async with WebSocketConnector(relay.address) as connector:
            with pytest.raises(NetworkError) as refusal:
                await connector.connect()
        assert refusal.value.code == "tls-failed"

    async def test_plain_http_to_a_tls_port_is_not_a_relay(self, relay: RelayProcess) -> None:
        """A wrong scheme is named, not hung on."""
        plain = relay.address.replace("https", "http")
        async with WebSocketConnector(plain) as connector:
            with pytest.raises(NetworkError) as refusal:
                await connector.connect()
        assert refusal.value.code in {"not-a-relay", "unreachable"}


def test_a_wrong_authority_file_is_named(tmp_path: Path) -> None:
    """A typo in a path is the user's to mend, not the network's."""
    with pytest.raises(LocalError) as refusal:
        WebSocketConnector("https://localhost", ca_file=tmp_path / "absent.pem")
    assert refusal.value.code == "bad-ca-file"


async def test_an_unreachable_relay_is_named(config: Config) -> None:
    """Nobody listens there (any more)."""
    async with serving(config, Log()) as relay:
        address = relay.address
    async with WebSocketConnector(address) as connector:
        with pytest.raises(NetworkError) as refusal:
            await connector.connect()
    assert refusal.value.code == "unreachable"


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "not-a-relay"), (502, "unreachable"), (429, "too-many-connections")],
)
async def test_other_servers_are_told_apart(status: int, code: str) -> None:
    """A web server is no relay; a proxy without its relay, and a busy relay, say so."""

    async def answer(_request: web.BaseRequest) -> web.Response:
        return web.Response(status=status)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    (_, port) = runner.addresses[0]
    async with WebSocketConnector(f"http://127.0.0.1:{port}") as connector:
        with pytest.raises(NetworkError) as refusal:
            await connector.connect()
    await runner.cleanup()
    assert refusal.value.code == code


async def test_a_connection_that_ends_is_told(connector: WebSocketConnector) -> None:
    """Sending and receiving on a closed socket raise the same named error."""
    phone = make_phone("alice")
    await phone.connect(connector)
    await phone.connection.close()
    await phone.connection.close()
    for act in (phone.connection.receive(), phone.connection.send(b"late")):
        with pytest.raises(NetworkError) as end:
            await act
        assert end.value.code == "closed"
