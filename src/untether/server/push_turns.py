"""Who may call at the same time: whoever does not answer holds up his like (spec 08, "Web push").

Endpoints are named by anybody, and a call to one that never answers lasts as long as a call may.
So a call to a host that did not answer its last one at once has to share a few places with its
like, and a few threads: a look at names can hang as well. One host never has all places.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from untether.base.limits import (
    PUSH_HOSTS_MAX,
    PUSHES_AT_ONCE_MAX,
    PUSHES_TO_HOST_MAX,
    PUSHES_TO_STRANGERS_MAX,
)


class Lane:
    """Places for calls at the same time, and as many threads for looking names up."""

    def __init__(self, size: int) -> None:
        self.places = asyncio.Semaphore(size)
        self.threads = ThreadPoolExecutor(size, thread_name_prefix="push-names")


class PushTurns:
    """The places of all calls."""

    def __init__(self) -> None:
        self._prompt_hosts: dict[str, None] = {}
        self._of_host: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._prompt = Lane(PUSHES_AT_ONCE_MAX - PUSHES_TO_STRANGERS_MAX)
        self._strangers = Lane(PUSHES_TO_STRANGERS_MAX)

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait for a place to call a host, and hold it inside the context."""
        own = self._of_host.setdefault(host, asyncio.Semaphore(PUSHES_TO_HOST_MAX))
        async with own, self._lane(host).places:
            yield

    def threads(self, host: str) -> ThreadPoolExecutor:
        """Return where the name of a host is looked up."""
        return self._lane(host).threads

    def called(self, host: str, *, is_prompt: bool) -> None:
        """Note whether a host answered its last call at once."""
        self._prompt_hosts.pop(host, None)
        if is_prompt:
            self._prompt_hosts[host] = None
        if len(self._prompt_hosts) > PUSH_HOSTS_MAX:
            del self._prompt_hosts[next(iter(self._prompt_hosts))]

    def close(self) -> None:
        """Look up no more names."""
        for lane in (self._prompt, self._strangers):
            lane.threads.shutdown(wait=False, cancel_futures=True)

    def _lane(self, host: str) -> Lane:
        return self._prompt if host in self._prompt_hosts else self._strangers
