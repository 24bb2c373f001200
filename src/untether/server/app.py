"""The relay's HTTP face: health, metrics, a word for people, and the WebSocket."""

from __future__ import annotations

from ipaddress import ip_address

from aiohttp import web

from untether import __version__
from untether.adapters.transport.address import is_loopback
from untether.adapters.transport.socket_url import SOCKET_PATH
from untether.server.health import HealthCheck
from untether.server.relay_process import RelayProcess
from untether.server.sockets import Socket
from untether.server.web_files import WebFiles
from untether.server.web_headers import HEADERS

RELAY: web.AppKey[RelayProcess] = web.AppKey("relay", RelayProcess)
HEALTH: web.AppKey[HealthCheck] = web.AppKey("health", HealthCheck)
WEB: web.AppKey[WebFiles] = web.AppKey("web", WebFiles)

_GREETING = f"""This is an Untether relay (version {__version__}).

It carries end-to-end encrypted messages and can read none of them.
Connect with:  untether register NAME --server {{origin}}
The web app is not built here; `make webapp` builds it.
"""
_IPV6_NETWORK_LENGTH = 19  # characters of the first 64 bits, which one customer gets
_REQUEST_BODY_MAX = 1024  # no route takes a body


def create_app(relay: RelayProcess, web_files: WebFiles | None) -> web.Application:
    """Build the application of one relay process, with the web app if there is one."""
    app = web.Application(client_max_size=_REQUEST_BODY_MAX)
    app[RELAY] = relay
    app[HEALTH] = HealthCheck(relay)
    app.add_routes(
        [
            web.get("/healthz", _check_health),
            web.get("/metrics", _show_metrics),
            web.get(SOCKET_PATH, _serve_socket),
        ]
    )
    if web_files is None:
        app.router.add_get("/", _greet)
    else:
        app[WEB] = web_files
        app.router.add_get("/{path:.*}", _serve_file)
    app.on_response_prepare.append(_add_policy)
    app.on_shutdown.append(_close_sockets)
    return app


async def _add_policy(_request: web.Request, response: web.StreamResponse) -> None:
    """Let no answer be a way around the policy: any of them can be opened in a browser."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


async def _greet(request: web.Request) -> web.Response:
    relay = request.app[RELAY]
    return web.Response(text=_GREETING.format(origin=relay.address))


async def _serve_file(request: web.Request) -> web.Response:
    return request.app[WEB].answer(request)


async def _check_health(request: web.Request) -> web.Response:
    """Answer 200 only when the store commits; 503 tells a supervisor to act."""
    if await request.app[HEALTH].is_well():
        return web.Response(text="ok\n")
    return web.Response(status=503, text="the store does not commit\n")


async def _show_metrics(request: web.Request) -> web.Response:
    """Show the metrics to this machine, and to others only when the operator says so."""
    relay = request.app[RELAY]
    config = relay.config
    if not config.public_metrics and not is_loopback(peer_address(request, config.trusted_proxies)):
        return web.Response(status=403, text="metrics are for this machine\n")
    body = relay.metrics.exposition()
    return web.Response(
        body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    )


async def _serve_socket(request: web.Request) -> web.StreamResponse:
    relay = request.app[RELAY]
    peer = peer_address(request, relay.config.trusted_proxies)
    if relay.hub.guests_of(peer) >= relay.config.quotas.guests_per_address:
        relay.metrics.cuts["too-many-guests"] += 1
        return web.Response(status=429, text="too many connections\n", headers={"Retry-After": "5"})
    return await Socket(relay, peer).serve(request)


async def _close_sockets(app: web.Application) -> None:
    await app[RELAY].hub.close_all("going-away")


def peer_address(request: web.Request, trusted_proxies: tuple[str, ...]) -> str:
    """Return whose quota a guest uses: the network address, an IPv6 one by its /64.

    The last ``X-Forwarded-For`` entry counts only when a trusted proxy wrote it.
    """
    peer = request.remote or "unknown"
    if peer in trusted_proxies:
        peer = request.headers.get("X-Forwarded-For", peer).rsplit(",", 1)[-1].strip()
    try:
        address = ip_address(peer)
    except ValueError:
        return "unknown"
    if address.version == 4 or address.is_loopback:
        return str(address)
    return address.exploded[:_IPV6_NETWORK_LENGTH]
