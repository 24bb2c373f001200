"""The peer of the relay benchmark: a raw relay on the ``websockets`` library.

It forwards every frame to the connection's partner (path ``/N``, partner N xor 1), stores
nothing, checks nothing and answers nothing. Prints its port when it listens.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

_FRAME_MAX = 1024 * 1024


async def main() -> None:
    """Serve until killed."""
    connections: dict[int, ServerConnection] = {}

    async def forward(connection: ServerConnection) -> None:
        request = connection.request
        number = int(request.path[1:]) if request else 0
        connections[number] = connection
        with suppress(ConnectionClosed):
            async for frame in connection:
                await connections[number ^ 1].send(frame)

    async with serve(
        forward, "127.0.0.1", 0, compression=None, max_size=_FRAME_MAX, ping_interval=None
    ) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
