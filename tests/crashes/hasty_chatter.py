"""Twin of a chatting device: it acknowledges mail first and stores it afterwards."""

from __future__ import annotations

import asyncio
import sys
import time

from chatter import main  # type: ignore[import-not-found]  # beside this script

from untether.client.driver import Driver
from untether.wire.client_frames import Acknowledge
from untether.wire.server_frames import Deliveries, ServerFrame

_pushed = Driver.pushed


async def _acknowledge_first(driver: Driver, frame: ServerFrame) -> None:
    if isinstance(frame, Deliveries) and frame.entries:
        await driver._line.tell(Acknowledge(frame.entries[-1].stamp))
        await asyncio.sleep(0)
        time.sleep(0.05)  # noqa: ASYNC251 (nothing else goes on in between)
    await _pushed(driver, frame)


if __name__ == "__main__":
    Driver.pushed = _acknowledge_first  # type: ignore[assignment, method-assign]
    asyncio.run(main(*sys.argv[1:]))
