"""A look at a relay before anybody is asked for anything (spec 08, "Connection")."""

from __future__ import annotations

from untether.client.relay_line import RelayLine
from untether.client.transport import Connector
from untether.wire.client_frames import ClientFrame
from untether.wire.server_frames import Challenge, ServerFrame


async def look_at_relay(connector: Connector) -> None:
    """Connect once and take the challenge; NetworkError when there is no relay to be reached."""
    async with RelayLine(connector, _Onlooker()).opened():
        pass


class _Onlooker:
    """Implements :class:`untether.client.relay_line.Receiver`; does nothing about anything."""

    async def challenged(self, challenge: Challenge, origin: str) -> None:
        pass

    async def answered(self, request: ClientFrame, answer: ServerFrame) -> None:
        pass

    async def pushed(self, frame: ServerFrame) -> None:
        pass
