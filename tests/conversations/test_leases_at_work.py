"""A phone that stays away: its companions go on for a while, and then wait for it."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.conversations.list_views import context_of, head_of, question
from tests.conversations.mishaps import query
from tests.world import World, WorldDevice

from untether.base.errors import LocalError
from untether.base.identifiers import DAY_MS, HOUR_MS, UnixMillis
from untether.base.limits import LEASE_DEFAULT_MS, LEASE_GRACE_MS, LEASE_MAX_MS, LEASE_MIN_MS
from untether.device import events, inputs, leases, own_account, senders
from untether.device.store import messages
from untether.protocol.identity.lease import LeaseState
from untether.wire.client_frames import FetchLists, ResolveName
from untether.wire.records import ListHead
from untether.wire.server_frames import Refused, Welcome

ENDED_MS = LEASE_DEFAULT_MS + LEASE_GRACE_MS


def _issued_at(device: WorldDevice) -> UnixMillis:
    with device.database.transaction():
        return own_account.newest(context_of(device)).issued_at


def test_a_phone_that_stays_online_renews_daily(
    world: World, alice: WorldDevice, laptop: WorldDevice
) -> None:
    """Without any new connection, and never more than once a day."""
    for _ in range(3):
        before = _issued_at(alice)
        world.pass_time(DAY_MS)
        assert _issued_at(alice) == _issued_at(laptop) == before + DAY_MS
    assert query(alice, "SELECT count(*) FROM own_lists WHERE published = 0") == [(0,)]


def test_an_offline_phone_signs_nothing_by_itself(world: World, alice: WorldDevice) -> None:
    """A copy of a phone that is offline must not sign what its original signs elsewhere."""
    before = _issued_at(alice)
    alice.disconnect()
    world.pass_time(3 * DAY_MS)
    alice.feed(inputs.Tick())
    assert _issued_at(alice) == before
    alice.connect()
    assert _issued_at(alice) == world.now


def test_the_owner_chooses_the_lease(world: World, alice: WorldDevice, laptop: WorldDevice) -> None:
    """Up to 180 days, on the phone only; it holds for all later renewals."""
    alice.feed(inputs.SetLease(LEASE_MAX_MS))
    world.settle()
    with pytest.raises(LocalError) as caught:
        laptop.feed(inputs.SetLease(LEASE_MAX_MS))
    assert caught.value.code == "not-the-phone"
    for wrong in (LEASE_MAX_MS + 1, LEASE_MIN_MS - 1, 0):
        with pytest.raises(LocalError) as caught:
            alice.feed(inputs.SetLease(wrong))
        assert caught.value.code == "bad-lease"
    alice.disconnect()
    world.pass_time(100 * DAY_MS)
    assert "lease-warning" not in laptop.notices()
    world.pass_time(25 * DAY_MS)
    assert laptop.notices().count("lease-warning") == 1


def test_companions_warn_once_at_two_thirds(
    world: World, alice: WorldDevice, laptop: WorldDevice
) -> None:
    """One warning for each list; the renewed list has one of its own."""
    alice.disconnect()
    world.pass_time(20 * DAY_MS)
    assert "lease-warning" not in laptop.notices()
    world.pass_time(DAY_MS)
    assert laptop.notices().count("lease-warning") == 1
    laptop.connect()
    laptop.feed(inputs.Tick())
    assert laptop.notices().count("lease-warning") == 1
    alice.connect()
    alice.disconnect()
    world.pass_time(21 * DAY_MS)
    laptop.connect()
    assert laptop.notices().count("lease-warning") == 2
    assert "lease-warning" not in alice.notices()


def test_after_the_end_only_the_phone_is_written_to_and_companions_are_held(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """Nothing is lost: after the renewal the held messages are shown, in order, with receipts."""
    bob.send("alice", "before")
    alice.disconnect()
    world.pass_time(ENDED_MS)
    bob.connect()
    laptop.connect()

    laptop.send("bob", "first held")
    world.pass_time(1)
    laptop.send("bob", "second held")
    assert bob.texts() == ["before"]
    assert bob.notices().count("message-held") == 2
    with bob.database.transaction():
        printed = messages.unprinted(bob.database, 10)
    assert printed == []
    world.pass_time(1)
    bob.send("alice", "to the phone only")
    assert laptop.texts() == ["before", "first held", "second held"]

    seen = len(bob.events)
    alice.connect()
    world.pass_time(10_000)
    bob.send("alice", "so the new list is fetched")
    shown = [one.text for one in bob.events[seen:] if isinstance(one, events.MessageReceived)]
    assert shown == ["first held", "second held"]
    assert bob.texts()[:3] == ["before", "first held", "second held"]
    world.pass_time(10_000)
    assert "delivered" in {one.state for one in laptop.history() if one.outgoing}
    assert "to the phone only" in alice.texts()
    assert laptop.texts()[-1] == "so the new list is fetched"


def test_held_messages_are_shown_although_nobody_writes(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Bob only reads; his device asks daily whether Alice's phone came back."""
    laptop = world.link(alice, "laptop")
    bob.ask(ResolveName("alice"))
    laptop.send("bob", "hello")
    alice.disconnect()
    world.pass_time(ENDED_MS + HOUR_MS)
    laptop.send("bob", "held back")
    assert bob.texts() == ["hello"]
    world.pass_time(3 * DAY_MS)
    assert bob.texts() == ["hello"]
    alice.connect()
    world.pass_time(DAY_MS)
    assert bob.texts() == ["hello", "held back"]


def test_a_held_message_wakes_its_device(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """A device that has nothing else to do, and is never cut off, asks a day after it held one."""
    laptop = world.link(alice, "laptop")
    bob.ask(ResolveName("alice"))
    laptop.send("bob", "hello")
    alice.disconnect()
    world.pass_time(ENDED_MS + HOUR_MS)
    bob.wake_times.clear()
    laptop.send("bob", "held back")
    alice.connect()
    assert bob.texts() == ["hello"]
    world.pass_time(DAY_MS)
    assert bob.texts() == ["hello", "held back"]


@pytest.mark.usefixtures("bob")
def test_a_phone_that_comes_back_shows_what_its_companions_wrote(
    world: World, alice: WorldDevice
) -> None:
    """The mail comes before it has renewed its own lease; nobody else has to tell it."""
    laptop = world.link(alice, "laptop")
    laptop.send("bob", "hello")
    laptop.disconnect()
    alice.disconnect()
    world.pass_time(ENDED_MS + HOUR_MS)
    laptop.connect()
    laptop.send("bob", "while you were away")
    claimed = ListHead(0, 99, bytes(32))  # of which the relay then says nothing
    world.relay.answering = lambda _link, _frame, answer: (
        structs.replace(answer, head=claimed) if isinstance(answer, Welcome) else answer
    )
    busy = Refused("busy")
    world.relay.refusing = lambda frame: busy if isinstance(frame, FetchLists) else None
    alice.connect()
    assert alice.texts() == ["hello"]
    world.relay.answering = lambda _link, _frame, answer: answer
    world.relay.refusing = lambda _frame: None
    alice.connect()
    assert alice.texts() == ["hello", "while you were away"]


def test_own_copies_follow_the_same_rule(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """The phone comes back: what its companion sent meanwhile is held until it has renewed."""
    tablet = world.link(alice, "alice's tablet")
    bob.send("alice", "hello")
    alice.disconnect()
    world.pass_time(ENDED_MS)
    for device in (bob, laptop, tablet):
        device.connect()
    laptop.send("bob", "from the laptop")
    assert "from the laptop" not in tablet.texts()
    alice.connect()
    world.pass_time(10_000)
    assert "from the laptop" in alice.texts()
    assert "from the laptop" in tablet.texts()


def test_a_held_message_of_a_device_that_is_gone_is_given_up(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """The renewed list does not vouch for it any more: nobody ever sees it as genuine."""
    bob.send("alice", "before")
    alice.disconnect()
    world.pass_time(ENDED_MS)
    bob.connect()
    laptop.connect()
    laptop.send("bob", "held")
    alice.connect()
    alice.log_out(laptop)
    bob.send("alice", "news?")
    assert "held" not in bob.texts()
    assert "message-lost" in bob.notices()
    assert query(bob, "SELECT count(*) FROM messages WHERE held = 1") == [(0,)]


def _let_a_thief_speak_for_months() -> tuple[WorldDevice, WorldDevice]:
    """Put the relay back to before Alice logs her stolen laptop out; its thief writes to Bob."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    laptop = world.link(alice, "alice's laptop")
    bob.send("alice", "before")
    for device in (bob, laptop):
        device.disconnect()
    before = world.relay.store.copy()
    alice.log_out(laptop)
    alice.disconnect()
    world.relay.store = before
    world.pass_time(ENDED_MS + DAY_MS)
    bob.connect()
    laptop.connect()
    laptop.send("bob", "still believed")
    return alice, bob


def test_a_hidden_log_out_ends_with_the_hold() -> None:
    """A thief may write until the lease has ended; then nobody sees it, and the phone ends it."""
    alice, bob = _let_a_thief_speak_for_months()
    assert bob.texts() == ["before"]
    assert "message-held" in bob.notices()
    alice.connect()
    bob.send("alice", "news?")
    assert bob.texts() == ["before", "news?"]
    assert "message-lost" in bob.notices()


def test_twin_without_the_hold_a_hidden_log_out_never_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Switched off: a relay that hides a log-out keeps the companion speaking for ever."""
    monkeypatch.setattr(senders, "lease_state", lambda *_: LeaseState.RUNNING)
    _, bob = _let_a_thief_speak_for_months()
    assert bob.texts() == ["before", "still believed"]


def test_after_the_longest_lease_everything_holds_and_asks_once(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """Nothing is sent, not even to the phone, until a newer list is known."""
    bob.send("alice", "before")
    for device in (alice, laptop, bob):
        device.disconnect()
    world.pass_time(LEASE_MAX_MS + DAY_MS)
    bob.connect()
    waiting = bob.send("alice", "anybody there?")
    bob.send("alice", "hello?")
    assert waiting.state == "queued"
    assert bob.notices().count("lease-long-ended") == 1
    assert world.mailbox_is_empty(alice)
    alice.connect()
    bob.connect()
    bob.ask(question(alice.own.account_id, head_of(bob, alice.own.account_id)))
    assert alice.texts()[-2:] == ["anybody there?", "hello?"]


def test_twin_without_the_question_it_would_go_to_the_phone(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: the message is sealed for a phone that nobody has seen for half a year."""
    bob.send("alice", "before")
    alice.disconnect()
    bob.disconnect()
    monkeypatch.setattr(leases, "ask_if_long_ended", lambda *_: False)
    world.pass_time(LEASE_MAX_MS + DAY_MS)
    bob.connect()
    assert bob.send("alice", "anybody there?").state == "sent"


def test_long_ended_senders_are_held_too(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Mail of a phone whose list nobody renewed for the longest lease waits like the rest."""
    alice.send("bob", "hello")
    bob.send("alice", "hello")
    world.pass_time(HOUR_MS)
    bob.disconnect()
    with bob.database.transaction():
        bob.database.run("UPDATE accounts SET long_ended_asked = 0")
    alice.send("bob", "sent while bob was away")
    alice.disconnect()
    world.now = UnixMillis(world.now + LEASE_MAX_MS)
    bob.connect()
    assert bob.notices().count("lease-long-ended") == 1
    assert "message-held" not in bob.notices()
    assert "sent while bob was away" not in bob.texts()
    alice.connect()
    bob.ask(question(alice.own.account_id, head_of(bob, alice.own.account_id)))
    assert "sent while bob was away" in bob.texts()
