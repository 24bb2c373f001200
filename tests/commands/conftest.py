"""Relays and people for walks with the command line, and a watch over processes."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from tests.commands import command_line
from tests.commands.command_line import PASSPHRASE, RUN_MARK, Device, end_all_running
from tests.commands.relays import Relay

from untether.adapters.storage.profile import PROFILE_VARIABLE
from untether.adapters.vault.asking import FILE_VARIABLE
from untether.adapters.vault.passphrase_seal import Argon2Cost
from untether.device.events import LinkAnswered, LinkOffered, LinkRequested
from untether.native import NativeClient

CHEAP = Argon2Cost(memory_kib=8, passes=1)
MakeDevice = Callable[[str], Device]
Link = Callable[..., Device]


@contextmanager
def own_run() -> Iterator[None]:
    """Mark this run's processes, keep away from the user's key store; nothing outlives it.

    Profiles made in this process have cheap seals, which all processes then open quickly.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RUN_MARK, secrets.token_hex(8))
        for name in (PROFILE_VARIABLE, FILE_VARIABLE):
            patch.delenv(name, raising=False)
        patch.setattr("untether.native.system_key_store", lambda: None)
        patch.setattr("untether.adapters.storage.profile.Argon2Cost", lambda: CHEAP)
        patch.setattr("untether.adapters.vault.passphrase.Argon2Cost", lambda: CHEAP)
        yield
        assert command_line.processes_of_this_run() == []


@pytest.fixture(scope="session", autouse=True)
def _own_run() -> Iterator[None]:
    """Let all tests of this folder be one run."""
    with own_run():
        yield


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    """A test that leaves a process behind fails; relays that tests share are no part of it."""
    shared = list(command_line.running)
    yield
    command_line.running[:] = [one for one in command_line.running if one not in shared]
    left = end_all_running()
    command_line.running.extend(shared)
    assert left == []


@pytest.fixture(scope="session")
def passphrase_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A passphrase that only its owner can read."""
    file = tmp_path_factory.mktemp("passphrase") / "passphrase"
    file.touch(mode=0o600)
    file.write_text(f"{PASSPHRASE}\n")
    return file


@pytest.fixture(scope="session")
def relay(tmp_path_factory: pytest.TempPathFactory, _own_run: None) -> Iterator[Relay]:
    """A relay that tests share; those that harm a relay take one of their own."""
    shared = Relay(tmp_path_factory.mktemp("relay")).start()
    yield shared
    shared.stop_if_running()


@pytest.fixture
def own_relay(tmp_path: Path) -> Iterator[Relay]:
    """A relay for one test, not yet started."""
    own = Relay(tmp_path / "relay")
    yield own
    own.stop_if_running()


@pytest.fixture
def device(tmp_path: Path, passphrase_file: Path) -> MakeDevice:
    """Make a device without an account: a directory that does not exist yet."""
    return lambda name: Device(tmp_path / name, passphrase_file)


_numbers = count(1)


@pytest.fixture(scope="module")
def person(
    relay: Relay, passphrase_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> MakeDevice:
    """Register a person on the shared relay: ``alice`` becomes ``alice-7``."""

    def register(name: str) -> Device:
        unique = f"{name}-{next(_numbers)}"
        phone = Device(tmp_path_factory.mktemp("people") / unique, passphrase_file)
        registered = phone.run("register", unique, "--server", relay.url)
        assert registered.status == 0, registered.errors
        return phone

    return register


@pytest.fixture(scope="session")
def link() -> Link:
    """Link a companion through the SDK: both sides in this process, which is quicker."""

    def linked(phone: Device, name: str) -> Device:
        companion = Device(
            phone.directory.with_name(f"{phone.directory.name}-{name}"), phone.passphrase_file
        )
        asyncio.run(link_companion(phone, companion, name))
        return companion

    return linked


async def link_companion(phone: Device, companion: Device, name: str) -> None:
    """Link a new device, both sides in this process."""
    async with (
        NativeClient.open(phone.directory, passphrase_file=phone.passphrase_file) as approving,
        NativeClient.create(
            companion.directory,
            approving.driver.origin,
            passphrase_file=companion.passphrase_file,
        ) as offering,
    ):
        await link_clients(approving, offering, name)


async def link_clients(approving: NativeClient, offering: NativeClient, name: str) -> None:
    """Link a new device, both of which are open already."""
    shown: asyncio.Queue[LinkOffered] = asyncio.Queue()
    linking = asyncio.create_task(
        offering.link(
            device_name=name,
            device_kind="desktop",
            on_offer=shown.put_nowait,
            is_mine=_yes,
        )
    )
    try:
        first = asyncio.create_task(shown.get())
        await asyncio.wait((first, linking), return_when=asyncio.FIRST_COMPLETED)
        if not first.done():
            await linking
        await approving.approve((await first).link_text, _yes)
        await linking
    finally:
        linking.cancel()
        await asyncio.gather(linking, return_exceptions=True)


async def _yes(_asked: LinkAnswered | LinkRequested) -> bool:
    return True
