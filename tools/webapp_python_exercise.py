"""Runs inside the browser's Python: load all that the app loads, also what it loads late.

Before packing it shows what is needed; after packing, that nothing of it is missing.
"""

from __future__ import annotations

import asyncio
import importlib
import traceback
from sys import path

path.insert(0, "/packages")  # where the sources are, before packing

for root in ("untether.browser.main", "untether.crypto.browser"):
    importlib.import_module(root)

sqlite = importlib.import_module("untether.adapters.storage.device_sqlite3")
upgrade = importlib.import_module("untether.device.store.upgrade")
provider = importlib.import_module("untether.crypto.provider").provider()

provider.ed25519_public(bytes(32))
database = sqlite.Sqlite3DeviceDatabase.open()
upgrade.bring_up_to_date(database, upgrade.packaged_upgrades())
database.close()
try:
    raise ValueError("as a defect is told")
except ValueError:
    traceback.format_exc()


async def wait() -> None:
    """Wait in the ways in which the driver does."""
    async with asyncio.timeout(1):
        await asyncio.gather(asyncio.sleep(0), asyncio.shield(asyncio.sleep(0)))


asyncio.ensure_future(wait())  # noqa: RUF006 (the host waits for the value of the last line)
