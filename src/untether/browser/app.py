"""How far this browser's device is open: empty, locked, or open with its client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager

from msgspec import Struct

from untether.adapters.vault.passphrase_seal import Argon2Cost
from untether.adapters.vault.screen import ScreenVault
from untether.base.errors import LocalError
from untether.base.identifiers import AccountId
from untether.base.randomness import Randomness
from untether.browser.owner import OwnerAtATab
from untether.browser.page import Page
from untether.browser.profile import ProfileFiles, Profiles
from untether.browser.receiver import Receiver
from untether.browser.surroundings import Surroundings
from untether.client.client import Client
from untether.client.driver import Driver
from untether.client.signing import verified_signer
from untether.client.transport import Connector
from untether.device.store.database import DeviceDatabase


class _Open(Struct, frozen=True):
    database: DeviceDatabase
    client: Client


class App:
    """One browser's device; its calls are in the modules beside this one."""

    def __init__(
        self,
        page: Page,
        *,
        files: ProfileFiles,
        connector: Connector,
        surroundings: Surroundings,
        randomness: Randomness,
        cost: Argon2Cost | None = None,
    ) -> None:
        self.page = page
        self.profiles = Profiles(files, randomness, cost)
        self.surroundings = surroundings
        self.receiver = Receiver(page)
        self.connector = connector
        self._randomness = randomness
        self._cost = cost
        self._open: _Open | None = None
        self._is_receiving = False
        self._joining: asyncio.Task[object] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.looked_up: set[AccountId] = set()
        """Whose names were asked for again since the device was opened."""
        self.door = asyncio.Lock()
        """Held while the device is opened, locked or erased."""

    @property
    def is_open(self) -> bool:
        """Whether the database is open."""
        return self._open is not None

    @property
    def client(self) -> Client:
        """The open device; LocalError ``locked``."""
        if self._open is None:
            raise LocalError("locked", "This device is locked.", "Unlock it first.")
        return self._open.client

    def enter(self, database: DeviceDatabase) -> Client:
        """Go on with an open database, and receive if there is an account."""
        vault = ScreenVault(OwnerAtATab(self.page), self._randomness, self._cost)
        driver = Driver(
            database,
            self.connector,
            self._randomness,
            signer=verified_signer(database, vault),
        )
        client = Client(
            driver,
            vault=vault,
            receive_alone=self._receive_alone,
            platform=self.surroundings.platform,
        )
        self._open = _Open(database, client)
        self.receiver.start(client)
        return client

    async def leave(self) -> None:
        """Lock: end what is under way, let go of the database and its key."""
        opened, self._open = self._open, None
        self.looked_up.clear()
        if self._joining is not None:
            self._joining.cancel()
            await asyncio.wait({self._joining})
        await self.receiver.stop()
        if opened is not None:
            await opened.client.driver.close()
            opened.database.close()

    @asynccontextmanager
    async def joining(self) -> AsyncIterator[Client]:
        """Register, link, recover or approve inside; what was begun before of these ends."""
        before, self._joining = self._joining, asyncio.current_task()
        mine = self._joining
        if before is not None and not before.done():
            before.cancel()
            await asyncio.wait({before})
        client = self.client
        try:
            yield client
        finally:
            if self._joining is mine:
                self._joining = None
            if self._open is not None and self._open.client is client and not self._is_receiving:
                self.receiver.start(client)

    def in_background(self, work: Coroutine[object, object, None]) -> None:
        """Let something go on that no call waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @contextmanager
    def _receive_alone(self) -> Iterator[None]:
        """Implement the receiver lock inside the one worker of this browser."""
        if self._is_receiving:
            raise LocalError("already-receiving", "This device receives already.")
        self._is_receiving = True
        try:
            yield
        finally:
            self._is_receiving = False
