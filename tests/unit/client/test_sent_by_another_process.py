"""Several processes of one device: whichever submits a message, its writer hears of it."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest

from untether.client import sending
from untether.native import NativeClient
from untether.server.config import Config
from untether.server.driver import serving
from untether.server.event_log import Log


async def register(directory: Path, name: str, server: str) -> Path:
    """Make an account; returns its phone's profile."""
    profile = directory / name
    async with NativeClient.create(profile, server) as phone:
        await phone.register(name, device_name="Phone")
    return profile


async def test_a_message_sent_by_another_process_counts_as_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alice's writer never submits; her receiving process does, and the writer says so."""
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("correct horse battery")
    monkeypatch.setenv("UNTETHER_PASSPHRASE_FILE", str(passphrase))
    monkeypatch.setattr("untether.native.system_key_store", lambda: None)

    async def ask_nothing(_effect: object) -> None:
        """Be a process whose requests are all too late."""

    config = Config(port=0, data=str(tmp_path))
    async with serving(config, Log(io.StringIO())) as relay:
        await register(tmp_path, "bob", relay.address)
        alice = await register(tmp_path, "alice", relay.address)
        async with (
            NativeClient.open(alice) as writer,
            NativeClient.open(alice) as receiver,
            writer.online(),
        ):
            await sending.resolve(writer.driver, "bob")
            monkeypatch.setattr(writer.driver, "_carry_out", ask_nothing)
            written = asyncio.create_task(writer.send("bob", "hi"))
            await asyncio.sleep(0.1)
            async with receiver.online():
                sent = await asyncio.wait_for(written, 10)

    assert (sent.state, sent.devices) == ("sent", 1)
