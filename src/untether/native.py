"""The SDK on this machine: profiles in directories, real sockets, the person at the terminal.

Here the client meets its native adapters; the client itself never names them, so that it also
runs where they can't exist, e.g. in a browser.
"""

from __future__ import annotations

import os
import platform
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from untether.adapters.paths import expanded
from untether.adapters.storage import profile as profiles
from untether.adapters.storage.database_key import system_key_store
from untether.adapters.storage.profile import Profile
from untether.adapters.transport.websocket import WebSocketConnector
from untether.adapters.vault.asking import PassphraseSource, passphrase_source
from untether.adapters.vault.passphrase import PassphraseVault
from untether.base.limits import DEVICE_PLATFORM_MAX
from untether.client.client import Client
from untether.client.driver import Driver
from untether.client.first_look import look_at_relay
from untether.client.signing import verified_signer
from untether.device.store import own_device
from untether.device.store.database import DeviceDatabase

_SYSTEM_NAMES = {"Darwin": "macOS"}


class NativeClient(Client):
    """A device whose profile is a directory of this machine."""

    @staticmethod
    @asynccontextmanager
    async def open(
        directory: Path | str, *, passphrase_file: Path | None = None
    ) -> AsyncIterator[NativeClient]:
        """Open a profile; LocalError ``no-profile`` or ``no-account``, VerificationError."""
        source = passphrase_source(passphrase_file, os.environ)
        profile = await profiles.unlock(
            expanded(directory), passphrases=source, find_key_store=system_key_store
        )
        with _database(profile) as database:
            with database.reading():
                own = own_device.require(database)
            async with (
                WebSocketConnector(own.origin) as connector,
                _client(profile, database, connector, source) as client,
            ):
                yield client

    @staticmethod
    @asynccontextmanager
    async def create(
        directory: Path | str, server: str, *, passphrase_file: Path | None = None
    ) -> AsyncIterator[NativeClient]:
        """Open a profile for a device that is about to join an account; make it if need be.

        Nobody is asked for a new passphrase before the relay was reached. When no account came
        of a profile that was made here, it is removed again: nothing is left half done. Raises
        LocalError ``bad-address``, ``plain-http``, NetworkError, VerificationError.
        """
        path = expanded(directory)
        source = passphrase_source(passphrase_file, os.environ)
        async with (
            WebSocketConnector(server) as connector,
            _profile(path, source, connector) as profile,
        ):
            with _database(profile) as database:
                async with _client(profile, database, connector, source) as client:
                    yield client


@asynccontextmanager
async def _profile(
    path: Path, source: PassphraseSource, connector: WebSocketConnector
) -> AsyncIterator[Profile]:
    """Yield the profile; one that was made here and has no account in the end is removed."""
    if profiles.exists(path):
        yield await profiles.unlock(path, passphrases=source, find_key_store=system_key_store)
        return
    await look_at_relay(connector)
    profile = await profiles.create(
        path, passphrases=source, key_store=system_key_store(), randomness=os.urandom
    )
    try:
        yield profile
    finally:
        if _is_unused(profile):
            profiles.remove(path, find_key_store=system_key_store)


@contextmanager
def _database(profile: Profile) -> Iterator[DeviceDatabase]:
    database = profile.open_database()
    try:
        yield database
    finally:
        database.close()


def _is_unused(profile: Profile) -> bool:
    with _database(profile) as database, database.reading():
        return own_device.load(database) is None


def _platform() -> str:
    """Return what people call this machine's operating system."""
    system = platform.system()
    return _SYSTEM_NAMES.get(system, system)[:DEVICE_PLATFORM_MAX]


@asynccontextmanager
async def _client(
    profile: Profile,
    database: DeviceDatabase,
    connector: WebSocketConnector,
    source: PassphraseSource,
) -> AsyncIterator[NativeClient]:
    vault = PassphraseVault(source, os.urandom)
    driver = Driver(database, connector, os.urandom, signer=verified_signer(database, vault))
    try:
        yield NativeClient(
            driver, vault=vault, receive_alone=profile.receive_alone, platform=_platform()
        )
    finally:
        await driver.close()
