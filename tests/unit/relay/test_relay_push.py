"""Who may be woken where: endpoints of devices (spec 08, "Web push")."""

from __future__ import annotations

from dataclasses import replace
from time import thread_time

import pytest
from tests.unit.relay.relay_desk import RelayDesk, RelayDevice, link, log_out

from untether.base.identifiers import DeviceNumber
from untether.base.limits import PUSH_ENDPOINT_MAX
from untether.relay.push import endpoint_of, forget_endpoint, has_mail, host_of
from untether.wire.client_frames import FetchStatus, SubscribePush, UnsubscribePush
from untether.wire.server_frames import Done, Refused, Status

ENDPOINT = "https://push.example.org/send/abc-DEF_123:x?y=1"
KEY = b"\x04" * 65
HTTPS = "https://"


@pytest.fixture
def desk(desk: RelayDesk) -> RelayDesk:
    """A relay that wakes devices."""
    desk.rules = replace(desk.rules, push_key=KEY)
    return desk


async def known(desk: RelayDesk, device: RelayDevice) -> str | None:
    """Return the endpoint that is kept for a device."""
    return await desk.store.transact(endpoint_of, device.address)


async def test_a_device_has_one_endpoint(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """A newer one replaces it; one device's is not another's; it can be taken back, twice."""
    assert isinstance(await alice.ask(SubscribePush(f"{ENDPOINT}&old")), Done)
    assert isinstance(await alice.ask(SubscribePush(ENDPOINT)), Done)
    assert (await known(desk, alice), await known(desk, bob)) == (ENDPOINT, None)
    for _ in range(2):
        assert isinstance(await alice.ask(UnsubscribePush()), Done)
    assert await known(desk, alice) is None


async def test_the_status_tells_the_key(desk: RelayDesk, alice: RelayDevice) -> None:
    """A browser asks its push service for an endpoint under this key."""
    status = await alice.ask(FetchStatus())
    assert isinstance(status, Status)
    assert status.push_key == KEY


async def test_a_relay_without_a_contact_wakes_nobody(desk: RelayDesk, alice: RelayDevice) -> None:
    """It has no key, and keeps no endpoint; one from before can still be taken back."""
    await alice.ask(SubscribePush(ENDPOINT))
    alice.session = replace(alice.session, rules=replace(desk.rules, push_key=None))
    status = await alice.ask(FetchStatus())
    assert isinstance(status, Status)
    assert status.push_key is None
    assert await alice.ask(SubscribePush(f"{ENDPOINT}&new")) == Refused("push-off")
    assert isinstance(await alice.ask(UnsubscribePush()), Done)
    assert await known(desk, alice) is None


async def test_an_endpoint_goes_with_its_device(desk: RelayDesk, alice: RelayDevice) -> None:
    """Who was logged out is woken no more; the others are."""
    laptop = await link(alice)
    for device in (alice, laptop):
        assert isinstance(await device.ask(SubscribePush(ENDPOINT)), Done)
    assert isinstance(await log_out(alice, laptop), Done)
    assert (await known(desk, alice), await known(desk, laptop)) == (ENDPOINT, None)


async def test_only_devices_subscribe(desk: RelayDesk, alice: RelayDevice) -> None:
    """Nobody else has mail."""
    for frame in (SubscribePush(ENDPOINT), UnsubscribePush()):
        assert await desk.ask_as_guest(frame) == Refused("not-allowed")
        assert await alice.ask_as_bearer(frame) == Refused("not-allowed")


async def test_whoever_subscribes_without_end_is_held_up(
    desk: RelayDesk, alice: RelayDevice
) -> None:
    """Each writes to the disk."""
    answers = [await alice.ask(SubscribePush(ENDPOINT)) for _ in range(40)]
    assert {type(answer) for answer in answers} == {Done, Refused}
    assert answers[-1].code == "rate-limited"  # type: ignore[union-attr]


async def test_mail_waits_until_it_was_taken(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """A device without mail, or that nobody knows, is not woken."""
    assert not await desk.store.transact(has_mail, alice.address)
    await bob.send(alice.person)
    assert await desk.store.transact(has_mail, alice.address)
    unknown = alice.address._replace(device=DeviceNumber(7))
    assert not await desk.store.transact(has_mail, unknown)


async def test_only_the_endpoint_that_is_gone_is_forgotten(
    desk: RelayDesk, alice: RelayDevice
) -> None:
    """The device may have named another one while the push service answered."""
    await alice.ask(SubscribePush(ENDPOINT))
    await desk.store.transact(forget_endpoint, alice.address, f"{ENDPOINT}&old")
    assert await known(desk, alice) == ENDPOINT
    await desk.store.transact(forget_endpoint, alice.address, ENDPOINT)
    assert await known(desk, alice) is None


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://push.example.com/fcm/send/cQ:APA91b-_x",
        "https://updates.push.services.example.com/wpush/v2/gAAAA_-==",
        "https://web.push.example.net/QJ~x",
        "https://db5p.notify.example.com/w/?token=BQYAAAC%2b%2bx",
        "https://push.example",
    ],
)
async def test_push_services_are_called(endpoint: str, alice: RelayDevice) -> None:
    """As browsers name them."""
    assert isinstance(await alice.ask(SubscribePush(endpoint)), Done)


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "http://push.example.org/x",
        "HTTPS://push.example.org/x",
        "https://localhost/x",
        "https://relay/x",
        f"{HTTPS}db.internal/x",
        f"{HTTPS}printer.local/x",
        f"{HTTPS}www.localhost/x",
        f"{HTTPS}router.home.arpa/x",
        "https://127.0.0.1/x",
        f"{HTTPS}10.0.0.1/x",
        f"{HTTPS}127.1/x",
        "https://[::1]/x",
        "https://2130706433/x",
        "https://push.example.org:8443/x",
        "https://push.example.org:/x",
        "https://push.example.org./x",
        "https://user@push.example.org/x",
        "https://push.example.org@127.0.0.1/x",
        "https://push.example.org\\@127.0.0.1/x",
        "https://push.example.org/x#y",
        "https://push.example.org/x y",
        "https://push.example.org/x\r\nHost: y",
        "https://push.example.org/x\n",
        "https://push.example.org/ü",
        f"{HTTPS}push..org/x",
        "https://-push.example.org/x",
        "https:///x",
        "https://PUSH.example.org/x",
        "file:///etc/passwd",
        f"https://push.example.org/{'x' * 64}".replace("push", "p" * 64),
    ],
)
async def test_nothing_else_is_called(endpoint: str, desk: RelayDesk, alice: RelayDevice) -> None:
    """No other scheme, port, user or spelling, no number, no name of a local network."""
    assert await alice.ask(SubscribePush(endpoint)) == Refused("bad-endpoint")
    assert await known(desk, alice) is None


def test_a_long_endpoint_is_read_quickly() -> None:
    """Whatever a device names, looking at it costs little."""
    for unit in ("a", "a.", "a-", "-", "a/", "?"):
        for length in (PUSH_ENDPOINT_MAX, 1024 * 1024):
            began = thread_time()
            assert host_of(f"https://{unit * length}"[: length - 1] + "\n") is None
            assert thread_time() - began < 0.05
