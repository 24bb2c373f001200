"""Makes invitations beside a running relay, as a second user of its database."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

from untether.base.errors import LocalError
from untether.base.identifiers import UnixMillis
from untether.base.limits import INVITATION_MS
from untether.relay import accounts
from untether.server.relay_process import RelayProcess
from untether.server.store import open_store


class Invitation(NamedTuple):
    """A code for one registration."""

    code: str
    expires_at: UnixMillis


def create_invitation(database: Path) -> Invitation:
    """Store a new invitation durably; LocalError ``no-relay`` where no relay ever ran."""
    if not database.exists():
        raise LocalError(
            "no-relay",
            f"There is no relay's database at {database}.",
            "Name its directory with --data, or start the relay once.",
        )
    return asyncio.run(_create(database))


async def _create(database: Path) -> Invitation:
    now = RelayProcess.now()
    async with open_store(database) as store:
        code = await store.transact(accounts.create_invitation, now, RelayProcess.randomness)
    return Invitation(code, UnixMillis(now + INVITATION_MS))
