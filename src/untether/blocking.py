"""The SDK for scripts: the same device with plain calls, each of which waits for its end.

A call is connected while it lasts, if the relay can be reached. Nothing happens between calls: a
script that wants its mail listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from untether.base.identifiers import DeviceNumber
from untether.client.account import Standing
from untether.client.people import NamedMessage, Person, SecurityCode
from untether.client.sending import Sent
from untether.device.events import Event
from untether.device.own_devices import OwnDeviceView
from untether.native import NativeClient

T = TypeVar("T")


class BlockingClient:
    """One device; raises what :class:`untether.client.client.Client` raises."""

    def __init__(self, client: NativeClient, runner: asyncio.Runner) -> None:
        self.client = client
        """The whole SDK; its coroutines run by :meth:`wait_for`."""
        self._runner = runner
        self._is_listening = False

    @staticmethod
    @contextmanager
    def open(
        directory: Path | str, *, passphrase_file: Path | None = None
    ) -> Iterator[BlockingClient]:
        """Open a profile as :meth:`NativeClient.open` does, for the length of a ``with``."""
        with asyncio.Runner() as runner:
            opened = NativeClient.open(directory, passphrase_file=passphrase_file)
            client = runner.run(opened.__aenter__())
            try:
                yield BlockingClient(client, runner)
            finally:
                runner.run(opened.__aexit__(None, None, None))

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry out one coroutine of the SDK, connected if possible; return what it returns."""
        return self._runner.run(work if self._is_listening else self._online(work))

    async def _online(self, work: Coroutine[Any, Any, T]) -> T:
        async with self.client.online_if_possible():
            return await work

    def send(self, name: str, text: str) -> Sent:
        """Send a text to somebody by name; queued when the relay can't be reached."""
        return self.wait_for(self.client.send(name, text))

    def events(self, *, timeout_s: float | None = None) -> Iterator[Event]:
        """Receive until nothing has happened for ``timeout_s``, or for ever.

        Raises LocalError ``already-receiving`` when another process of this device receives.
        """
        heard: asyncio.Queue[Event] = asyncio.Queue()

        async def listen() -> None:
            async for event in self.client.events():
                heard.put_nowait(event)

        async def begin() -> asyncio.Task[None]:
            return asyncio.get_running_loop().create_task(listen())

        listening, was_listening = self._runner.run(begin()), self._is_listening
        self._is_listening = True
        try:
            while (event := self._runner.run(_next(heard, listening, timeout_s))) is not None:
                yield event
        finally:
            self._is_listening = was_listening
            self._runner.run(_ended(listening))

    def messages(self, name: str | None = None, limit: int = 50) -> list[NamedMessage]:
        """Return the newest messages (with one person), oldest first."""
        return self.client.messages(name, limit)

    def contacts(self) -> list[Person]:
        """Return everybody this account knows."""
        return self.client.contacts()

    def devices(self) -> list[OwnDeviceView]:
        """Return the devices of the own account."""
        return self.wait_for(self.client.devices())

    def log_out(self, device: DeviceNumber, *, wipe: bool = False) -> None:
        """Log a companion out from the phone, or this companion itself."""
        self.wait_for(self.client.log_out(device, wipe=wipe))

    def security_code(self, name: str) -> SecurityCode:
        """Return the 60 digits to compare with a person by another way."""
        return self.wait_for(self.client.security_code(name))

    def status(self) -> Standing:
        """Return how this device stands, asking the relay when it can be reached."""
        return self.wait_for(self.client.status())


async def _next(
    heard: asyncio.Queue[Event], listening: asyncio.Task[None], timeout_s: float | None
) -> Event | None:
    """Wait for an event; None when none came in time, and what ended the listening is raised."""
    waiting = asyncio.ensure_future(heard.get())
    done, _ = await asyncio.wait(
        {waiting, listening}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
    )
    if waiting in done:
        return waiting.result()
    waiting.cancel()
    if listening in done:
        listening.result()
    return None


async def _ended(listening: asyncio.Task[None]) -> None:
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening
