"""Effects reach exactly the sockets that they are meant for."""

from __future__ import annotations

import asyncio
from secrets import token_bytes

import pytest
from tests.unit.server.relay_devices import Device, link, make_phone, register

from untether.adapters.transport.websocket import WebSocketConnector
from untether.base.errors import NetworkError
from untether.base.identifiers import SlotId
from untether.base.limits import LINK_OFFER_MAX
from untether.server import sockets
from untether.server.config import Config, Quotas
from untether.server.relay_process import RelayProcess
from untether.wire.client_frames import (
    ClaimLinkSlot,
    FetchLists,
    GetLinkItem,
    OpenLinkSlot,
    PublishLists,
    PutLinkItem,
)
from untether.wire.server_frames import (
    Done,
    LinkContent,
    LinkNews,
    LinkOffered,
    LinkSlotOpened,
    ListNews,
    Lists,
    LoggedOut,
    NotListed,
    Refused,
    Welcome,
)


async def _closed(device: Device) -> int:
    """Read until the relay closes; returns the close code."""
    with pytest.raises(NetworkError) as end:
        while True:
            await device.connection.receive()
    return int(end.value.details["close_code"])


async def test_a_new_list_is_news_for_the_other_devices(connector: WebSocketConnector) -> None:
    """The phone's publication is told to the companion at once, and not to the phone."""
    phone = await register(connector, "alice")
    await phone.log_in(connector)
    laptop = await link(phone)
    await laptop.log_in(connector)
    tablet = await link(phone)
    assert (await laptop.push(ListNews)).head == tablet.person.newest.head
    assert not phone.pushes


async def test_log_out_cuts_the_device_off(connector: WebSocketConnector) -> None:
    """The logged-out device gets the lists that prove it, then its socket closes."""
    phone = await register(connector, "alice")
    await phone.log_in(connector)
    laptop = await link(phone)
    await laptop.log_in(connector)
    phone.person.publish(remove=[laptop.certificate.device])
    assert isinstance(await phone.ask(PublishLists((phone.person.newest.signed,))), Done)
    await laptop.push(ListNews)
    last_word = await laptop.push(LoggedOut)
    assert last_word.account.lists[-1] == phone.person.newest.signed
    assert await _closed(laptop) == 1008
    assert isinstance(await laptop.log_in(connector), NotListed)
    answer = await laptop.ask(FetchLists(phone.certificate.account_id))
    assert isinstance(answer, Lists)
    assert await laptop.ask(laptop.letter(phone)) == Refused("not-allowed")


async def test_both_sides_of_a_link_slot_hear_of_each_other(connector: WebSocketConnector) -> None:
    """A guest opens a slot, the phone claims it; each is told of the other's item only."""
    phone, guest = await register(connector, "alice"), make_phone("guest")
    await phone.log_in(connector)
    await guest.connect(connector)
    slot_id = SlotId(token_bytes(16))
    offer = bytes(LINK_OFFER_MAX)
    assert isinstance(await guest.ask(OpenLinkSlot(slot_id, offer)), LinkSlotOpened)
    assert await phone.ask(ClaimLinkSlot(slot_id)) == LinkOffered(offer)
    assert isinstance(await phone.ask(PutLinkItem(slot_id, 1, b"answer")), Done)
    assert await guest.push(LinkNews) == LinkNews(slot_id, 1)
    assert await guest.ask(GetLinkItem(slot_id, 1)) == LinkContent(b"answer")
    assert isinstance(await guest.ask(PutLinkItem(slot_id, 2, b"acceptance")), Done)
    assert await phone.push(LinkNews) == LinkNews(slot_id, 2)


class TestRoom:
    """Sockets of a device and guests of an address are bounded."""

    @pytest.fixture
    def config(self, config: Config) -> Config:
        """Allow two of each."""
        return Config(
            port=0, data=config.data, quotas=Quotas(sockets_per_device=2, guests_per_address=2)
        )

    async def test_the_oldest_socket_makes_room(self, connector: WebSocketConnector) -> None:
        """The third socket of a device closes the first."""
        alice = await register(connector, "alice")
        three = [Device(alice.person, alice.keys, alice.certificate) for _ in range(3)]
        for device in three:
            assert isinstance(await device.log_in(connector), Welcome)
        assert await _closed(three[0]) == 1008
        assert isinstance(await three[1].ask(FetchLists(alice.certificate.account_id)), Lists)

    async def test_guests_of_an_address_are_bounded(
        self, connector: WebSocketConnector, relay: RelayProcess
    ) -> None:
        """The third guest is refused before the upgrade; a login makes room."""
        guests = [await register(connector, name) for name in ("alice", "bob")]
        for guest in guests:
            await guest.connect(connector)
        with pytest.raises(NetworkError) as refusal:
            await connector.connect()
        assert refusal.value.code == "too-many-connections"
        await guests[0].ask(guests[0].login())
        await connector.connect()
        assert relay.hub.guests_of("127.0.0.1") == 2


async def test_without_the_bound_guests_pile_up(
    connector: WebSocketConnector, relay: RelayProcess
) -> None:
    """Twin: with the default quota the third guest of an address is welcome."""
    for _ in range(3):
        await connector.connect()
    assert relay.hub.guests_of("127.0.0.1") == 3


async def test_a_silent_guest_is_closed(
    connector: WebSocketConnector, relay: RelayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who says nothing is let go; who links may stay as long as a link slot lives."""
    silent, linking = make_phone("alice"), make_phone("bob")
    await silent.connect(connector)
    await linking.connect(connector)
    opened = await linking.ask(OpenLinkSlot(SlotId(bytes(16)), bytes(LINK_OFFER_MAX)))
    assert isinstance(opened, LinkSlotOpened)
    relay.hub.sweep()
    monkeypatch.setattr(sockets, "LOGIN_MS", 0)
    relay.hub.sweep()
    assert await _closed(silent) == 1008
    monkeypatch.setattr(sockets, "LINK_SLOT_MS", 0)
    relay.hub.sweep()
    assert await _closed(linking) == 1008
    assert relay.hub.sockets() == []


async def test_a_stopping_relay_answers_first(
    connector: WebSocketConnector, relay: RelayProcess
) -> None:
    """Requests that run are answered, then the socket closes as going away."""
    alice, bob = await register(connector, "alice"), await register(connector, "bob")
    await alice.log_in(connector)
    tokens = [await alice.send(alice.letter(bob)) for _ in range(20)]
    await alice.answer(tokens[0])
    closing = asyncio.create_task(relay.hub.close_all("going-away"))
    for token in tokens[1:]:
        await alice.answer(token)
    assert await _closed(alice) == 1001
    await closing


async def test_a_bearer_hears_no_news_and_takes_no_room(
    connector: WebSocketConnector, relay: RelayProcess
) -> None:
    """Who holds a removed device's key may judge and leave; it is not one of the devices."""
    phone = await register(connector, "alice")
    await phone.log_in(connector)
    laptop = await link(phone)
    phone.person.publish(remove=[laptop.certificate.device])
    assert isinstance(await phone.ask(PublishLists((phone.person.newest.signed,))), Done)
    assert isinstance(await laptop.log_in(connector), NotListed)
    await link(phone)
    assert isinstance(await laptop.ask(FetchLists(phone.certificate.account_id)), Lists)
    assert not laptop.pushes
    assert relay.metrics.connections == {"guest": 0, "bearer": 1, "device": 1}
    await laptop.connection.close()
