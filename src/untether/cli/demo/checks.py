"""A check that does not hold, and waiting for what must happen within a bound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

PATIENCE_S = 30.0
"""What must happen takes a second or two; a busy machine may take longer, never this long."""

_LOOK_AGAIN_S = 0.02  # nobody notices, and a look costs a millisecond

Result = TypeVar("Result")


class CheckFailed(Exception):  # noqa: N818 (it says what happened)
    """What the story says is not so."""


async def within(act: Awaitable[Result], what: str, patience_s: float = PATIENCE_S) -> Result:
    """Await ``act``; CheckFailed naming ``what`` when it takes too long."""
    try:
        async with asyncio.timeout(patience_s):
            return await act
    except TimeoutError as error:
        raise CheckFailed(f"{what}: not within {patience_s:.0f} s") from error


async def until(look: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Look at the disk, which tells nobody when it changes, until ``look`` is content."""

    async def watch() -> None:
        while not look():  # noqa: ASYNC110 (there is no event to wait for)
            await asyncio.sleep(_LOOK_AGAIN_S)

    await within(watch(), what, patience_s)


async def together(*acts: Awaitable[Result]) -> list[Result]:
    """Run all at once; the first failure ends the others and is raised."""
    tasks = [asyncio.ensure_future(act) for act in acts]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
