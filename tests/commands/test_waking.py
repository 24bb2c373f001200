"""A program has its device woken by a push service, through the SDK."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.commands.conftest import MakeDevice
from tests.commands.relays import Relay

from untether.base.errors import RefusedError
from untether.native import NativeClient

ENDPOINT = "https://push.example.org/send/1"


async def test_a_device_subscribes_and_takes_it_back(device: MakeDevice, tmp_path: Path) -> None:
    """It learns the relay's key first; what no relay should call is refused."""
    waking = Relay(tmp_path / "waking", settings='push_contact = "mailto:owner@example.org"')
    waking.start()
    try:
        phone = device("alice")
        async with NativeClient.create(
            phone.directory, waking.url, passphrase_file=phone.passphrase_file
        ) as alice:
            await alice.register("alice", device_name="phone")
            async with alice.online():
                key = await alice.push_key()
                assert key is not None
                assert len(key) == 65
                await alice.subscribe_push(ENDPOINT)
                assert waking.query("SELECT endpoint FROM push_endpoints") == [(ENDPOINT,)]
                with pytest.raises(RefusedError) as refused:
                    await alice.subscribe_push("https://localhost/send")
                assert refused.value.code == "bad-endpoint"
                await alice.unsubscribe_push()
                assert waking.query("SELECT endpoint FROM push_endpoints") == []
    finally:
        waking.stop_if_running()


async def test_a_relay_that_wakes_nobody_says_so(device: MakeDevice, relay: Relay) -> None:
    """It has no key to subscribe under."""
    phone = device("alice-awake")
    async with NativeClient.create(
        phone.directory, relay.url, passphrase_file=phone.passphrase_file
    ) as alice:
        await alice.register("alice-awake", device_name="phone")
        async with alice.online():
            assert await alice.push_key() is None
            with pytest.raises(RefusedError) as refused:
                await alice.subscribe_push(ENDPOINT)
    assert refused.value.code == "push-off"
