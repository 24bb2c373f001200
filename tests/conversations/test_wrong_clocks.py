"""A phone whose clock was years ahead: its list is refused, and heals once the clock is right."""

from __future__ import annotations

import pytest
from tests.conversations.list_views import context_of, head_of, question
from tests.conversations.mishaps import query
from tests.world import World, WorldDevice
from tests.world_relay import Link

from untether.base.identifiers import DAY_MS, UnixMillis
from untether.device import events, inputs, own_account, publication
from untether.device.store import prekeys
from untether.protocol.identity.device_list import DeviceList
from untether.relay.budgets import Budgets
from untether.wire.client_frames import ClientFrame, PublishLists
from untether.wire.server_frames import Done, Refused, ServerFrame

YEARS_MS = 3 * 365 * DAY_MS


@pytest.fixture
def world() -> World:
    """An empty world."""
    return World()


@pytest.fixture
def alice(world: World) -> WorldDevice:
    """Alice's phone."""
    return world.register("alice")


def newest(device: WorldDevice) -> DeviceList:
    """Return the newest own list of a device."""
    with device.database.transaction():
        return own_account.newest(context_of(device))


def unpublished(device: WorldDevice) -> int:
    """Count the own lists that the relay has not confirmed."""
    return int(str(query(device, "SELECT count(*) FROM own_lists WHERE published = 0")[0][0]))


def connect_with_wrong_clock(phone: WorldDevice) -> None:
    """Connect once while the clock is years ahead; it is right afterwards, and a day has passed."""
    phone.clock_ahead_ms = YEARS_MS
    phone.connect()
    phone.disconnect()
    phone.clock_ahead_ms = 0
    phone.world.pass_time(DAY_MS)


def test_a_right_clock_heals_at_the_next_connection(world: World, alice: WorldDevice) -> None:
    """Nobody has to sign anything: the relay takes both lists, and everybody goes on."""
    bob, laptop = world.register("bob"), world.link(alice, "laptop")
    bob.send("alice", "before")
    connect_with_wrong_clock(alice)
    assert (newest(alice).issued_at, unpublished(alice)) == (world.now - DAY_MS + YEARS_MS, 1)
    assert [code for code in alice.notices() if code != "own-device-added"] == ["clock-ahead"]

    alice.connect()

    assert (newest(alice).issued_at, unpublished(alice)) == (world.now, 0)
    assert newest(laptop).head == newest(alice).head
    assert alice.notices().count("clock-ahead") == 1
    alice.send("bob", "hello")
    bob.send("alice", "and back")
    assert bob.texts() == laptop.texts() == alice.texts() == ["before", "hello", "and back"]
    assert head_of(bob, alice.own.account_id) == newest(alice).head
    world.pass_time(3 * DAY_MS)
    assert not {"list-withheld", "lists-not-taken"} & set(bob.notices() + alice.notices())


def test_as_long_as_the_clock_is_wrong_nothing_is_signed(alice: WorldDevice) -> None:
    """Each connection says what to do; the phone does not pile up lists that nobody takes."""
    alice.clock_ahead_ms = YEARS_MS
    for _ in range(3):
        alice.connect()
    assert (newest(alice).head.version, unpublished(alice)) == (2, 1)
    assert alice.notices() == ["clock-ahead"] * 3
    assert alice.happened(events.RequestRefused)[-1].code == publication.AHEAD


@pytest.mark.parametrize("wipe", [False, True])
def test_a_log_out_goes_with_the_new_list(world: World, alice: WorldDevice, wipe: bool) -> None:
    """What travelled with the refused list is not lost: the device is out, and wiped if wanted."""
    bob, laptop, tablet = (
        world.register("bob"),
        world.link(alice, "laptop"),
        world.link(alice, "tablet"),
    )
    bob.send("alice", "secret")
    alice.clock_ahead_ms = YEARS_MS
    alice.connect()
    alice.log_out(laptop, wipe=wipe)
    alice.log_out(tablet, wipe=wipe)
    assert alice.happened(events.DeviceRemoved) == []
    assert (laptop.own.state.value, tablet.own.state.value) == ("active", "active")

    alice.clock_ahead_ms = 0
    alice.connect()

    assert [one.device for one in alice.happened(events.DeviceRemoved)] == [1, 2]
    assert unpublished(alice) == 0
    for device in (laptop, tablet):
        device.connect()
        assert device.own_or_none is None or device.own.state.value == "logged-out"
        assert device.texts() == ([] if wipe else ["secret"])


def test_a_link_that_waited_is_finished(world: World, alice: WorldDevice) -> None:
    """The relay's clock alone was behind when the phone certified the laptop."""
    refused: list[PublishLists] = []

    def refuse(request: ClientFrame) -> Refused | None:
        if isinstance(request, PublishLists) and not refused:
            refused.append(request)
            alice.clock_ahead_ms = -YEARS_MS  # it was ahead, and is set back at this moment
            return Refused(publication.AHEAD)
        return None

    world.now = UnixMillis(world.now + YEARS_MS)
    world.relay.refusing = refuse
    laptop = world.link(alice, "laptop")

    assert refused[0].device == laptop.own.device
    assert laptop.own.state.value == "active"
    assert [one.device for one in alice.happened(events.DeviceLinked)] == [1]
    assert newest(alice).issued_at == alice.now


def test_a_list_that_the_relay_took_is_followed_too(world: World, alice: WorldDevice) -> None:
    """Both clocks were ahead; when both are right, the list that nobody takes gets a successor."""
    bob = world.register("bob")
    bob.send("alice", "before")
    bob.disconnect()
    right = world.now
    world.now = UnixMillis(right + YEARS_MS)
    alice.connect()
    assert unpublished(alice) == 0
    alice.disconnect()
    world.now = right
    world.relay.budgets = Budgets()  # it was started again
    alice.connect()
    assert (newest(alice).issued_at, unpublished(alice)) == (world.now, 0)
    bob.connect()
    bob.ask(question(alice.own.account_id, head_of(bob, alice.own.account_id)))
    assert head_of(bob, alice.own.account_id) == newest(alice).head


def test_a_clock_that_fell_back_signs_nothing(world: World, alice: WorldDevice) -> None:
    """The phone's own clock alone says that its list is early: the relay knows better."""
    world.pass_time(DAY_MS)
    before = newest(alice)
    alice.clock_ahead_ms = -YEARS_MS
    alice.connect()
    assert newest(alice).head == before.head


def test_twin_with_both_clocks_back_signs_an_ended_list(world: World, alice: WorldDevice) -> None:
    """If the relay agrees, the account is out of everybody's reach: its list is years old."""
    bob = world.register("bob")
    bob.send("alice", "before")
    alice.clock_ahead_ms = -YEARS_MS
    world.relay.answering = lambda _link, _request, answer: (
        Done(alice.now) if isinstance(answer, Done) else answer
    )
    alice.connect()
    assert newest(alice).issued_at == alice.now
    bob.ask(question(alice.own.account_id, head_of(bob, alice.own.account_id)))
    assert bob.send("alice", "are you there?").state == "queued"


def test_a_relay_alone_makes_nobody_sign(world: World, alice: WorldDevice) -> None:
    """It says that a list lies ahead, and it does not: told, and sent again as it is."""

    def lie(link: Link, request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        return Refused(publication.AHEAD) if isinstance(request, PublishLists) else answer

    world.relay.answering = lie
    alice.feed(inputs.SetLease(60 * DAY_MS))
    world.settle()
    for _ in range(3):
        alice.connect()
    assert newest(alice).head.version == 2
    assert "clock-ahead" in alice.notices()


def test_prekeys_of_a_wrong_clock_are_replaced(alice: WorldDevice) -> None:
    """Else the last resort of all handshakes would stay the same for years."""
    alice.clock_ahead_ms = YEARS_MS
    alice.connect()
    alice.clock_ahead_ms = 0
    alice.connect()
    with alice.database.transaction():
        rotating = prekeys.newest_rotating(alice.database)
    assert rotating is not None
    assert rotating.secret.created_at == alice.now
    assert rotating.uploaded


@pytest.mark.parametrize("years_ms", [DAY_MS, YEARS_MS])
def test_what_was_written_under_a_wrong_clock_leaves_when_it_is_right(
    world: World, alice: WorldDevice, years_ms: int
) -> None:
    """The moment at which it was written lies in the future then; it is not waited for."""
    bob = world.register("bob")
    alice.send("bob", "before")
    alice.disconnect()
    alice.clock_ahead_ms = years_ms
    alice.send_to(bob.own.account_id, "from the future")
    alice.clock_ahead_ms = 0
    alice.connect()
    world.pass_time(1)
    assert bob.texts() == ["before", "from the future"]
