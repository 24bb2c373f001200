"""A relay that fails by itself: whoever writes hears so at once, and nothing written is lost."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from untether.base.errors import RefusedError
from untether.device.events import Event, MailboxDrained
from untether.native import NativeClient
from untether.relay.requests import handle
from untether.server import sockets
from untether.server.config import Config
from untether.server.driver import serving
from untether.server.event_log import Log
from untether.wire.client_frames import ClientFrame, Login, StartReceiving, Submit


@pytest.fixture(autouse=True)
def _ask_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the passphrase from a file."""
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("correct horse battery")
    monkeypatch.setenv("UNTETHER_PASSPHRASE_FILE", str(passphrase))
    monkeypatch.setattr("untether.native.system_key_store", lambda: None)


@asynccontextmanager
async def served(directory: Path, failing: set[type[ClientFrame]]) -> AsyncIterator[Path]:
    """Serve alice a relay whose program fails at some requests; yields her profile."""

    async def handle_or_fail(store: Any, session: Any, frame: ClientFrame, *rest: Any) -> Any:
        if type(frame) in failing:
            raise OSError("the disk of the relay is full")
        return await handle(store, session, frame, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sockets, "handle", handle_or_fail)
        async with serving(Config(port=0, data=str(directory)), Log(io.StringIO())) as relay:
            profile = directory / "alice"
            async with NativeClient.create(profile, relay.address) as phone:
                await phone.register("alice", device_name="Phone")
            yield profile


@pytest.mark.parametrize("request_type", [Submit, Login])
async def test_a_message_is_kept_and_its_cause_told(
    tmp_path: Path, request_type: type[ClientFrame]
) -> None:
    """At the login or at the message itself: queued at once, and sent when the relay is well."""
    failing: set[type[ClientFrame]] = set()
    async with served(tmp_path, failing) as profile, NativeClient.open(profile) as alice:
        failing.add(request_type)
        began = time.monotonic()
        async with alice.online_if_possible() as unreachable:
            sent = await alice.send("alice", "a note")
        assert time.monotonic() - began < 5
        assert sent.state == "queued"
        assert {sent.cause, unreachable and unreachable.code} >= {"relay-failure"}

        failing.clear()
        async with alice.online():
            await alice.driver.idle()
        (stored,) = alice.messages()
        assert (stored.message.text, stored.message.state) == ("a note", "sent")


async def first_event(client: NativeClient) -> Event:
    """Receive until something happens."""
    return await anext(client.events())


async def test_who_receives_gets_mail_once_the_relay_is_well(tmp_path: Path) -> None:
    """The relay takes the login and fails at the mail: the device comes back for it."""
    failing: set[type[ClientFrame]] = set()
    async with served(tmp_path, failing) as profile, NativeClient.open(profile) as alice:
        failing.add(StartReceiving)
        receiving = asyncio.create_task(first_event(alice))
        with alice.driver.listening() as heard, pytest.raises(RefusedError) as refused:
            await alice.driver.next_event(heard)
        assert refused.value.code == "relay-failure"
        assert not receiving.done()

        failing.clear()
        async with asyncio.timeout(5):
            assert await receiving == MailboxDrained()
