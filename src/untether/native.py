"""The SDK on this machine: profiles in directories, real sockets, the person at the terminal.

Here the client meets its native adapters; the client itself never names them, so that it also
runs where they can't exist, e.g. in a browser.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from untether.adapters.storage import profile as profiles
from untether.adapters.storage.database_key import system_key_store
from untether.adapters.storage.profile import Profile
from untether.adapters.transport.websocket import WebSocketConnector
from untether.adapters.vault.asking import PassphraseSource, passphrase_source
from untether.adapters.vault.passphrase import PassphraseVault
from untether.base.errors import LocalError
from untether.base.secret_bytes import SecretBytes
from untether.client.client import Client
from untether.client.driver import Driver
from untether.device.store import own_device
from untether.device.store.database import DeviceDatabase
from untether.protocol.identity.certificate import sign_as_account

_VERIFICATION_REASON = "This lets a device take part in your account."


class NativeClient(Client):
    """A device whose profile is a directory of this machine."""

    @staticmethod
    @asynccontextmanager
    async def open(
        directory: Path | str, *, passphrase_file: Path | None = None
    ) -> AsyncIterator[NativeClient]:
        """Open an existing profile; raises LocalError ``no-profile``, VerificationError."""
        source = passphrase_source(passphrase_file, os.environ)
        profile = await profiles.unlock(
            Path(directory).expanduser(), passphrases=source, key_store=system_key_store()
        )
        database = profile.open_database()
        try:
            with database.transaction():
                own = own_device.load(database)
            if own is None:
                raise LocalError(
                    "no-account",
                    "This profile has no account yet.",
                    "Make one with `untether register`, or link this device with `untether link`.",
                )
            async with _client(profile, database, own.origin, source) as client:
                yield client
        finally:
            database.close()

    @staticmethod
    @asynccontextmanager
    async def create(
        directory: Path | str, server: str, *, passphrase_file: Path | None = None
    ) -> AsyncIterator[NativeClient]:
        """Make a profile for a device that is about to join an account.

        When no account came of it, the profile is removed again: nothing is left half done.
        Raises LocalError ``already-registered`` for a profile in use.
        """
        path = Path(directory).expanduser()
        source = passphrase_source(passphrase_file, os.environ)
        key_store = system_key_store()
        if profiles.exists(path):
            profile = await profiles.unlock(path, passphrases=source, key_store=key_store)
        else:
            profile = await profiles.create(
                path, passphrases=source, key_store=key_store, randomness=os.urandom
            )
        database = profile.open_database()
        try:
            async with _client(profile, database, server, source) as client:
                yield client
        finally:
            with database.transaction():
                unused = own_device.load(database) is None
            database.close()
            if unused:
                shutil.rmtree(path)


@asynccontextmanager
async def _client(
    profile: Profile, database: DeviceDatabase, server: str, source: PassphraseSource
) -> AsyncIterator[NativeClient]:
    vault = PassphraseVault(source, os.urandom)

    async def sign(body: bytes) -> bytes:
        with database.transaction():
            own = own_device.load(database)
        assert own is not None
        assert own.sealed_account_seed is not None
        seed = await vault.open(own.sealed_account_seed, _VERIFICATION_REASON)
        return sign_as_account(SecretBytes(seed), body)

    connector = WebSocketConnector(server)
    driver = Driver(database, connector, os.urandom, signer=sign)
    try:
        yield NativeClient(driver, vault=vault, receive_alone=profile.receive_alone)
    finally:
        await driver.close()
        await connector.close()
