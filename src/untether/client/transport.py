"""The transport port: how a device's driver reaches its relay (spec 08, "Transport").

Natively :mod:`untether.adapters.transport.websocket` implements it; a browser brings its
own. Frames are whole: what one side sends in one call, the other receives in one call. How they
are joined to packets in between is the transport's business.
"""

from __future__ import annotations

from typing import Protocol


class Connection(Protocol):
    """One open socket. Sending and receiving may run at the same time, each in one task."""

    async def send(self, frame: bytes) -> None:
        """Send one frame; waits while the relay reads slowly.

        Raises NetworkError ``closed``, or ``no-answer`` when it reads nothing for long.

        A frame may leave a little later, and is lost with the socket: only an answer tells
        that it arrived.
        """
        ...

    async def receive(self) -> bytes:
        """Wait for the next frame; raises NetworkError ``closed`` when no more will come."""
        ...

    async def close(self) -> None:
        """Send what waits and close the socket; closing twice is allowed."""
        ...


class Connector(Protocol):
    """Opens sockets to one relay."""

    @property
    def origin(self) -> str:
        """``scheme://host`` or ``scheme://host:port``: exactly what a login signs."""
        ...

    async def connect(self) -> Connection:
        """Open a socket; raises NetworkError, whose code names the cause."""
        ...
