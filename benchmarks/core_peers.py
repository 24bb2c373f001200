"""The peers of the core benchmark: vodozemac (Olm) and Twomemo (OMEMO 2).

Both keep their sessions as live objects, as their users do, and give the bytes to store after
each operation: vodozemac by a pickle, Twomemo through its storage port. Twomemo also encrypts
a message once and its key for each device.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, TypeVar

import vodozemac
from omemo.storage import Just, Maybe, Nothing, Storage
from twomemo import Twomemo

from untether.adapters.storage.device_apsw import ApswDeviceDatabase

T = TypeVar("T")
PICKLE_KEY = bytes(32)
ALICE, BOB = ("alice@example.org", 1), ("bob@example.org", 2)

_loop = asyncio.new_event_loop()


def wait(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine of Twomemo."""
    return _loop.run_until_complete(work)


def olm_start() -> tuple[Any, Any]:
    """Start an Olm session and open its first message: Alice's and Bob's session."""
    alice, bob = vodozemac.Account(), vodozemac.Account()
    bob.generate_one_time_keys(1)
    return olm_handshake(alice, bob)


def olm_handshake(alice: Any, bob: Any) -> tuple[Any, Any]:
    """Let two accounts shake hands with Bob's only one-time key."""
    one_time = next(iter(bob.one_time_keys.values()))
    sending = alice.create_outbound_session(bob.curve25519_key, one_time)
    first = sending.encrypt(b"hello").to_pre_key()
    receiving, _ = bob.create_inbound_session(alice.curve25519_key, first)
    return sending, receiving


class OlmPair:
    """Two Olm sessions that have turned in both directions."""

    def __init__(self) -> None:
        self.alice, self.bob = olm_start()
        self.turn(b"hello")

    def turn(self, payload: bytes) -> None:
        """One message in each direction, with the bytes to store."""
        self.alice.decrypt(self.bob.encrypt(payload))
        self.bob.decrypt(self.alice.encrypt(payload))
        for session in (self.alice, self.bob, self.alice, self.bob):
            session.pickle(PICKLE_KEY)

    def send(self, payload: bytes) -> Any:
        """Encrypt, with the bytes to store."""
        message = self.alice.encrypt(payload).to_parts()
        self.alice.pickle(PICKLE_KEY)
        return message

    def receive(self, message: Any) -> bytes:
        """Decrypt, with the bytes to store."""
        payload: bytes = self.bob.decrypt(vodozemac.AnyOlmMessage.from_parts(*message))
        self.bob.pickle(PICKLE_KEY)
        return payload


class OlmFanOut:
    """An Olm session for each device; a message is encrypted and pickled for each."""

    def __init__(self, devices: int, database: ApswDeviceDatabase) -> None:
        self.sessions = [OlmPair().alice for _ in range(devices)]
        self.database = database
        database.script("CREATE TABLE pickles (device INTEGER PRIMARY KEY, pickle TEXT) STRICT")
        database.many(
            "INSERT INTO pickles VALUES (?, ?)",
            [(n, session.pickle(PICKLE_KEY)) for n, session in enumerate(self.sessions)],
        )

    def seal(self, text: bytes) -> list[Any]:
        """Encrypt for every device."""
        return [session.encrypt(text).to_parts() for session in self.sessions]

    def write(self, text: bytes) -> None:
        """Encrypt for every device and write every session; the caller commits."""
        self.seal(text)
        self.database.many(
            "UPDATE pickles SET pickle = ? WHERE device = ?",
            [(session.pickle(PICKLE_KEY), n) for n, session in enumerate(self.sessions)],
        )


class MemoryStorage(Storage):
    """Twomemo's storage port; values become bytes, as any real store needs them."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}

    async def _load(self, key: str) -> Maybe[Any]:
        return Just(json.loads(self.values[key])) if key in self.values else Nothing()

    async def _store(self, key: str, value: Any) -> None:
        self.values[key] = json.dumps(value)

    async def _delete(self, key: str) -> None:
        self.values.pop(key, None)


class DatabaseStorage(MemoryStorage):
    """The same in rows of a database; the caller commits."""

    def __init__(self, database: ApswDeviceDatabase) -> None:
        super().__init__()
        self.database = database
        database.script("CREATE TABLE omemo (key TEXT PRIMARY KEY, value TEXT) STRICT")

    async def _store(self, key: str, value: Any) -> None:
        self.database.run("INSERT OR REPLACE INTO omemo VALUES (?, ?)", key, json.dumps(value))

    async def _load(self, key: str) -> Maybe[Any]:
        found = self.database.rows("SELECT value FROM omemo WHERE key = ?", key)
        return Just(json.loads(found[0][0])) if found else Nothing()


async def omemo_device(storage: Storage) -> Any:
    """Make a device with one prekey."""
    backend = Twomemo(storage)
    await backend.generate_pre_keys(1)
    return backend


async def omemo_start(alice: Any, bob: Any, device: int = BOB[1]) -> tuple[Any, Any]:
    """Start a session and open its first message: Alice's and Bob's session."""
    bundle = await bob.get_bundle(BOB[0], device)
    content, key = await alice.encrypt_plaintext(b"hello")
    sending, encrypted = await alice.build_session_active(BOB[0], device, bundle, key)
    receiving, opened = await bob.build_session_passive(*ALICE, sending.key_exchange, encrypted)
    await bob.decrypt_plaintext(content, opened)
    return sending, receiving


class OmemoPair:
    """Two OMEMO sessions that have turned in both directions."""

    def __init__(self) -> None:
        self.alice, self.bob = (
            wait(omemo_device(MemoryStorage())),
            wait(omemo_device(MemoryStorage())),
        )
        self.to_bob, self.to_alice = wait(omemo_start(self.alice, self.bob))
        wait(self.turns(1, b"hello"))

    async def turns(self, count: int, payload: bytes) -> None:
        """Write and answer, with the bytes to store."""
        for _ in range(count):
            (answer,) = await self._send(self.bob, self.to_alice, 1, payload)
            await self._receive(self.alice, self.to_bob, [answer])
            (message,) = await self._send(self.alice, self.to_bob, 1, payload)
            await self._receive(self.bob, self.to_alice, [message])

    async def send(self, count: int, payload: bytes) -> list[Any]:
        """Encrypt, with the bytes to store."""
        return await self._send(self.alice, self.to_bob, count, payload)

    async def receive(self, messages: list[Any]) -> None:
        """Decrypt, with the bytes to store."""
        await self._receive(self.bob, self.to_alice, messages)

    @staticmethod
    async def _send(backend: Any, session: Any, count: int, payload: bytes) -> list[Any]:
        sent = []
        for _ in range(count):
            content, key = await backend.encrypt_plaintext(payload)
            sent.append((content, await backend.encrypt_key_material(session, key)))
            await backend.store_session(session)
        return sent

    @staticmethod
    async def _receive(backend: Any, session: Any, messages: list[Any]) -> None:
        for content, encrypted in messages:
            key = await backend.decrypt_key_material(session, encrypted)
            await backend.decrypt_plaintext(content, key)
            await backend.store_session(session)


class OmemoFanOut:
    """An OMEMO session for each device; content once, its key for each."""

    def __init__(self, devices: int, database: ApswDeviceDatabase) -> None:
        self.alice = wait(omemo_device(DatabaseStorage(database)))
        bob = wait(omemo_device(MemoryStorage()))
        self.sessions = [wait(omemo_start_only(self.alice, bob, n)) for n in range(devices)]

    async def seal(self, text: bytes, *, store: bool = False) -> None:
        """Encrypt once, its key for every device, and write every session if wanted."""
        _, key = await self.alice.encrypt_plaintext(text)
        for session in self.sessions:
            (await self.alice.encrypt_key_material(session, key)).serialize()
            if store:
                await self.alice.store_session(session)

    def write(self, text: bytes) -> None:
        """Encrypt and write; the caller commits."""
        wait(self.seal(text, store=True))


async def omemo_start_only(alice: Any, bob: Any, device: int) -> Any:
    """Start a session without opening it, since a bundle serves many here."""
    bundle = await bob.get_bundle(BOB[0], device + 2)
    _, key = await alice.encrypt_plaintext(b"hello")
    session, _ = await alice.build_session_active(BOB[0], device + 2, bundle, key)
    return session
