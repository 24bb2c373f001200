"""Servers that are no relays: each misbehaves in one way, on a port of this machine."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

from untether.base.limits import PACKET_MAX

Talk = Callable[[web.WebSocketResponse], Awaitable[None]]


async def closes_at_once(socket: web.WebSocketResponse) -> None:
    """Open and close."""
    await socket.close()


async def says_garbage(socket: web.WebSocketResponse) -> None:
    """Send a frame that no relay sends."""
    await socket.send_bytes(b"\xc1 garbage")
    await socket.receive()


async def says_text(socket: web.WebSocketResponse) -> None:
    """Speak like a chat server of another kind."""
    await socket.send_str('{"hello": "world"}')
    await socket.receive()


async def floods(socket: web.WebSocketResponse) -> None:
    """Send more than any packet may hold."""
    await socket.send_bytes(bytes(PACKET_MAX + 2))
    await socket.receive()


async def is_silent(socket: web.WebSocketResponse) -> None:
    """Take everything, answer pings, and say nothing."""
    async for _ in socket:
        pass


@contextmanager
def false_relay(talk: Talk | None) -> Iterator[str]:
    """Serve WebSockets that behave like ``talk``; None for a plain HTTP server."""

    async def serve(request: web.Request) -> web.StreamResponse:
        if talk is None:
            return web.Response(status=404, text="no such page")
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        await talk(socket)
        return socket

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    with _served(app) as url:
        yield url


@contextmanager
def closed_port() -> Iterator[str]:
    """Keep a port that the system gave, and don't listen: nobody can be met there."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{kept.getsockname()[1]}"


@contextmanager
def silent_port() -> Iterator[str]:
    """Listen, accept, and never say a word."""

    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def start() -> tuple[int, Callable[[], Awaitable[None]]]:
        server = await asyncio.start_server(ignore, "127.0.0.1", 0)

        async def stop() -> None:
            server.close()

        return int(server.sockets[0].getsockname()[1]), stop

    with _in_thread(start) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _served(app: web.Application) -> Iterator[str]:
    async def start() -> tuple[int, Callable[[], Awaitable[None]]]:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1]), runner.cleanup

    with _in_thread(start) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _in_thread(
    start: Callable[[], Awaitable[tuple[int, Callable[[], Awaitable[None]]]]],
) -> Iterator[int]:
    """Run a server in a loop of its own, so that commands may block this thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def call_start() -> tuple[int, Callable[[], Awaitable[None]]]:
        return await start()

    async def call(stop: Callable[[], Awaitable[None]]) -> None:
        await stop()

    port, stop = asyncio.run_coroutine_threadsafe(call_start(), loop).result(10)
    try:
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(call(stop), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
