"""Whose a name is, asked as a guest before there is a device (spec 08, "Who may send what").

The answer is the relay's word, and nothing is kept of it: it spares people a lock for an account
that they won't get. Registration and recovery check everything themselves.
"""

from __future__ import annotations

import asyncio

from untether.base.identifiers import AccountId
from untether.client.refusals import refusal
from untether.client.relay_line import RelayLine
from untether.client.transport import Connector
from untether.wire.client_frames import ClientFrame, ResolveName
from untether.wire.server_frames import Challenge, Lists, Refused, ServerFrame


async def account_named(connector: Connector, name: str) -> AccountId | None:
    """Return the account that a name belongs to; None if nobody has it.

    Raises NetworkError when the relay can't be asked, and its refusal when it does not answer that.
    """
    line = RelayLine(connector, _Nobody())
    async with line.opened():
        answer = await asyncio.shield(await line.request(ResolveName(name)))
    if isinstance(answer, Lists):
        return answer.account_id
    if isinstance(answer, Refused) and answer.code != "no-such-account":
        raise refusal(answer.code, answer.retry_after_ms)
    return None


class _Nobody:
    """Implements :class:`untether.client.relay_line.Receiver` for who only waits for answers."""

    async def challenged(self, challenge: Challenge, origin: str) -> None:
        """See the port."""

    async def answered(self, request: ClientFrame, answer: ServerFrame) -> None:
        """See the port."""

    async def pushed(self, frame: ServerFrame) -> None:
        """See the port."""
