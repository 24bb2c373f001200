"""A device in a process of its own that writes and hears without pause, until it is killed.

``chatter.py PROFILE PASSPHRASE_FILE PEER PREFIX`` prints one JSON object for each text that was
written (it is committed by then, and either at the relay or queued) and for each that was heard.
SIGTERM ends the writing; what is under way is finished.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from itertools import count
from pathlib import Path

from untether.base.errors import NetworkError
from untether.device.events import MessageReceived
from untether.native import NativeClient

WRITERS = 2
PAUSE_S = 0.1


async def main(profile: str, passphrase_file: str, peer: str, prefix: str) -> None:
    """Chat until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with NativeClient.open(profile, passphrase_file=Path(passphrase_file)) as client:
        hearing = asyncio.create_task(hear(client))
        numbers = count()
        writers = [
            asyncio.create_task(write(client, peer, prefix, numbers, stop)) for _ in range(WRITERS)
        ]
        await asyncio.wait((hearing, *writers), return_when=asyncio.FIRST_COMPLETED)
        if hearing.done():
            hearing.result()
        await asyncio.gather(*writers)
        hearing.cancel()


async def write(
    client: NativeClient, peer: str, prefix: str, numbers: count[int], stop: asyncio.Event
) -> None:
    """Write one numbered text after the other."""
    while not stop.is_set():
        text = f"{prefix} {next(numbers)}"
        try:
            sent = await client.send(peer, text)
        except NetworkError:  # the peer is not known yet, so nothing was written
            await asyncio.sleep(PAUSE_S)
            continue
        tell(wrote=text, state=sent.state)
        await asyncio.sleep(PAUSE_S)


async def hear(client: NativeClient) -> None:
    """Tell what comes in."""
    async for event in client.events():
        if isinstance(event, MessageReceived):
            tell(heard=event.text)


def tell(**facts: str) -> None:
    """Print one object on one line."""
    sys.stdout.write(f"{json.dumps(facts)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
