"""The engine of the web app without a browser: real relay and files, scripted screens."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.commands.conftest import (  # noqa: F401 (fixtures)
    CHEAP,
    _nothing_left_running,
    _own_run,
    passphrase_file,
    person,
    relay,
)
from tests.commands.relays import Relay

from untether.adapters.storage.device_sqlite3 import Sqlite3DeviceDatabase
from untether.adapters.transport.websocket import WebSocketConnector
from untether.base.secret_bytes import SecretBytes
from untether.browser.app import App
from untether.browser.calls import performer
from untether.browser.page import Page
from untether.device.store.upgrade import bring_up_to_date, packaged_upgrades

PASSPHRASE = {"method": "passphrase", "passphrase": "correct horse battery"}
PATIENCE_S = 30


class CallError(Exception):
    """A call failed; ``problem`` is what screens would show."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem["message"])
        self.problem = problem
        self.code = problem["error"]


class FilesInAFolder:
    """Implements :class:`untether.browser.profile.ProfileFiles` on this disk, unsealed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.keys: list[bytes] = []

    async def read_profile(self) -> bytes | None:
        """See the port."""
        path = self._folder / "profile.json"
        return path.read_bytes() if path.exists() else None

    async def write_profile(self, content: bytes) -> None:
        """See the port."""
        (self._folder / "profile.json").write_bytes(content)

    async def open_database(self, key: SecretBytes) -> Sqlite3DeviceDatabase:
        """See the port."""
        self.keys.append(bytes(key))
        database = Sqlite3DeviceDatabase.open(str(self._folder / "device.db"))
        bring_up_to_date(database, packaged_upgrades())
        return database

    async def erase(self) -> None:
        """See the port."""
        for path in self._folder.iterdir():
            path.unlink()


class Quiet:
    """Implements :class:`untether.browser.surroundings.Surroundings`."""

    platform = "Tests"

    async def storage(self) -> tuple[int, int, bool]:
        """See the port."""
        return 1_000, 1_000_000, True


class Tab:
    """One tab of an app: it calls, answers what it was told to, and keeps what it hears."""

    def __init__(self, folder: Path, connector: WebSocketConnector) -> None:
        folder.mkdir(exist_ok=True)
        self.files = FilesInAFolder(folder)
        page = Page(self._heard)
        self.app = App(
            page,
            files=self.files,
            connector=connector,
            surroundings=Quiet(),
            randomness=secrets.token_bytes,
            cost=CHEAP,
        )
        page.serve(performer(self.app))
        self.say = page.hear
        self.events: list[dict[str, Any]] = []
        self.asked: list[tuple[str, Any]] = []
        self.answers: dict[str, Any] = {
            "seal": PASSPHRASE,
            "verify": PASSPHRASE,
            "may_link": True,
            "is_mine": True,
        }
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._last = 0

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Call, and wait for the value; raises CallError."""
        return await asyncio.wait_for(self.begin(name, **arguments), PATIENCE_S)

    def begin(self, name: str, /, **arguments: Any) -> asyncio.Future[Any]:
        """Call without waiting."""
        self._last += 1
        waiting = self._waiting[self._last] = asyncio.get_running_loop().create_future()
        self._post(tab="tab", id=self._last, call=name, args=arguments)
        return waiting

    async def event(
        self, name: str, fits: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """Wait for an event that fits; one that has come already counts."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for one in self.events:
                    if one["event"] == name and fits(one):
                        return one
                await asyncio.sleep(0.01)

    async def register(self, name: str) -> str:
        """Make an account here; returns its recovery code."""
        await self.call("protect", **PASSPHRASE)
        made = await self.call("register", name=name, device_name="phone")
        return str(made["recovery_code"])

    def _post(self, **said: Any) -> None:
        self.say(msgspec.json.encode(said).decode())

    def _heard(self, text: str) -> None:
        said = msgspec.json.decode(text)
        if "event" in said:
            self.events.append(said)
        elif "ask" in said:
            self.asked.append((said["what"], said["details"]))
            answer = self.answers[said["what"]]
            if isinstance(answer, list) and said["what"] == "verify":
                answer = answer.pop(0)
            if isinstance(answer, str):
                self._post(tab="tab", answer=said["ask"], refused=answer)
            else:
                self._post(tab="tab", answer=said["ask"], value=answer)
        elif "error" in said:
            self._waiting.pop(said["id"]).set_exception(CallError(said["error"]))
        else:
            self._waiting.pop(said["id"]).set_result(said["value"])


OpenTab = Callable[[str], Tab]


@pytest.fixture
async def open_tab(relay: Relay, tmp_path: Path) -> AsyncIterator[OpenTab]:  # noqa: F811
    """Start the engine of one browser, named by a folder; the same name is the same browser."""
    async with AsyncExitStack() as stack:
        connector = await stack.enter_async_context(WebSocketConnector(relay.url))

        def opened(name: str) -> Tab:
            tab = Tab(tmp_path / name, connector)
            stack.push_async_callback(tab.app.leave)
            return tab

        yield opened
