"""Starts the engine in the worker of a browser (``webapp/src/engine/worker.ts`` calls it)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from untether.adapters.browser.private_files import PrivateFiles
from untether.adapters.browser.socket import BrowserConnector
from untether.base.limits import DEVICE_PLATFORM_MAX
from untether.browser.app import App
from untether.browser.calls import performer
from untether.browser.page import Page


def start(worker: Any) -> Callable[[str], None]:
    """Build the app over what the worker offers; returns what takes the texts of the tabs."""
    page = Page(worker.post)
    app = App(
        page,
        files=PrivateFiles(worker.files),
        connector=BrowserConnector(worker.origin),
        surroundings=_Browser(worker),
        randomness=os.urandom,
    )
    page.serve(performer(app))
    return page.hear


class _Browser:
    """Implements :class:`untether.browser.surroundings.Surroundings`."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self.platform = str(worker.platform)[:DEVICE_PLATFORM_MAX]

    async def storage(self) -> tuple[int, int, bool]:
        """See the port."""
        found = await self._worker.storage()
        return int(found.used), int(found.quota), bool(found.persisted)
