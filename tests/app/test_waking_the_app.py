"""The engine of the web app on a relay that wakes closed browsers."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.app.conftest import CallError, OpenTab
from tests.commands.relays import Relay

ENDPOINT = "https://push.example.org/send/1"


@pytest.fixture(params=['push_contact = "mailto:owner@example.org"', ""])
def settings(request: pytest.FixtureRequest) -> str:
    """With a contact, and without one."""
    return str(request.param)


@pytest.fixture
def relay(tmp_path: Path, settings: str) -> Iterator[Relay]:
    """A relay with these settings."""
    own = Relay(tmp_path / "relay", settings=settings).start()
    yield own
    own.stop_if_running()


async def test_a_browser_subscribes_where_devices_are_woken(
    open_tab: OpenTab, relay: Relay, settings: str
) -> None:
    """It gets the key as browsers want it, and the relay keeps the endpoint; else it is told."""
    phone = open_tab("phone")
    await phone.register("alice")
    key = (await phone.call("push_key"))["key"]
    kept = "SELECT endpoint FROM push_endpoints"
    if not settings:
        assert key is None
        with pytest.raises(CallError) as refused:
            await phone.call("subscribe_push", endpoint=ENDPOINT)
        assert refused.value.code == "push-off"
        return
    point = urlsafe_b64decode(key + "=")
    assert (len(point), point[0]) == (65, 4)
    await phone.call("subscribe_push", endpoint=ENDPOINT)
    assert relay.query(kept) == [(ENDPOINT,)]
