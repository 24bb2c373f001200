"""Keeps an open device connected and receiving, and tells all tabs what happens.

A browser gives no sign of a line that died in silence: after a while without any, the relay is
asked for something, and the line notices by itself when no answer comes.
"""

from __future__ import annotations

import asyncio
import traceback
from contextlib import suppress
from typing import Final

from untether.base.errors import LocalError, PlatformError, UntetherError
from untether.browser import events
from untether.browser.announcements import announce, connected, disconnected
from untether.browser.page import Page
from untether.client import account, receiving
from untether.client.client import Client
from untether.device.events import Event
from untether.wire.client_frames import FetchStatus

_SILENCE_S: Final = 45.0  # a little less than proxies cut a silent line after
_AGAIN_S: Final = 60.0
"""How long to wait where the relay, or this machine, must be put right by somebody first."""


class Receiver:
    """At most one connection, for as long as the device is open."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Try again now, if a while was to be waited: something has succeeded meanwhile."""
        self._woken.set()

    def start(self, client: Client) -> None:
        """Receive from now on, if the device takes part; again at once if it does already."""
        before, self._task = self._task, None
        if before is not None:
            before.cancel()
        if account.takes_part(client.driver):
            receiving = self._receive(client, before)
            self._task = asyncio.get_running_loop().create_task(receiving)

    async def stop(self) -> None:
        """Receive no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _receive(self, client: Client, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        while account.takes_part(client.driver):
            try:
                await self._follow(client)
            except PlatformError as error:
                if error.code == "disk-full":
                    self._page.say(events.StorageFull())
                disconnected(self._page, error)
            except LocalError as error:
                disconnected(self._page, error)
                if error.code == "received-elsewhere":
                    return
            except UntetherError as error:
                disconnected(self._page, error)
            except Exception as error:  # a defect: it is told, and people go on receiving
                disconnected(self._page, error)
                traceback.print_exception(error)
            if account.takes_part(client.driver):
                self._woken.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_AGAIN_S):
                        await self._woken.wait()
        self._page.say(events.LoggedOut())

    async def _follow(self, client: Client) -> None:
        """Take part until something ends it that does not pass by itself."""
        driver = client.driver
        with client.receive_alone(), driver.listening() as heard:
            async with receiving.kept_connected(
                driver, lambda error: disconnected(self._page, error)
            ) as connection:
                greeting = asyncio.ensure_future(driver.until_connected())
                try:
                    await receiving.while_kept(connection, greeting)
                    connected(self._page)
                    while True:
                        event = await self._next(client, heard, connection)
                        if event is not None:
                            announce(self._page, driver, event)
                            receiving.check_still_receiving(driver, event)
                finally:
                    greeting.cancel()

    async def _next(
        self, client: Client, heard: receiving.Heard, connection: asyncio.Task[None]
    ) -> Event | None:
        try:
            async with asyncio.timeout(_SILENCE_S):
                return await receiving.while_kept(connection, heard.get())
        except TimeoutError:
            if client.driver.is_connected:
                with suppress(UntetherError):
                    await client.driver.ask(FetchStatus())
            return None
