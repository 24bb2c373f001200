"""Opens idle connections and holds them: ``relay_idle.py raw|untether PORT ACCOUNTS NUMBER``.

Ours are logged in and receive. Prints ``ready`` and waits for the end of its input.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop

from relay_accounts import read_accounts
from relay_load import Measure, RelaySender, Sender


async def hold(kind: str, port: int, accounts: Path, number: int) -> None:
    """Open all connections, say so, and hold them until the input ends."""
    measure = Measure()
    known = read_accounts(accounts) if kind == "untether" else []
    held: list[Sender] = []
    for place in range(number):
        if known:
            account = known[place % len(known)]
            logged_in = RelaySender(measure, port, place, account, account)
            await logged_in.open()
            await asyncio.wait_for(logged_in.ready, 10)
            held.append(logged_in)
        else:
            held.append(Sender(measure, port, place))
            await held[-1].open()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(hold(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])))
