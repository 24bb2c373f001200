"""Databases put back from a copy: a companion's, a phone's, the relay's."""

from __future__ import annotations

import pytest
from tests.conversations.link_steps import LinkStory
from tests.conversations.list_views import head_of
from tests.conversations.mishaps import copy_database, put_back, query, state
from tests.world import World, WorldDevice
from tests.world_relay import Link

from untether.base.errors import LocalError, RefusedError
from untether.base.identifiers import DAY_MS, DeviceNumber
from untether.base.limits import LOGIN_COUNTER_MAX, ONE_TIME_PREKEYS
from untether.device import events, inputs, own_account, restored
from untether.device.store import inbox, own_lists
from untether.device.store.own_device import State
from untether.wire.client_frames import (
    ClientFrame,
    DepositPrekeys,
    FetchLists,
    Login,
    PublishLists,
)
from untether.wire.server_frames import Refused, ServerFrame, Welcome


def _sessions(device: WorldDevice) -> set[object]:
    return {row[0] for row in query(device, "SELECT id FROM sessions WHERE place = 0")}


def _standing(device: WorldDevice, column: str) -> object:
    return query(device, f"SELECT {column} FROM own_standing")[0][0]  # noqa: S608


def test_a_restored_companion_renews_its_sessions_and_prekeys(
    world: World, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """Nothing that the lost state sealed or handed out is ever used again."""
    laptop.send("bob", "one")
    bob.send("alice", "two")
    world.pass_time(10_000)
    backup = copy_database(laptop)
    before = _sessions(laptop)
    prekeys = {row[0] for row in query(laptop, "SELECT id FROM prekeys")}
    laptop.connect()
    laptop.send("bob", "lost with the disk")

    put_back(laptop, backup)
    laptop.connect()
    world.pass_time(10_000)
    assert laptop.notices().count("restored-from-copy") == 1
    assert not before & _sessions(laptop)
    ids = {row[0] for row in query(laptop, "SELECT id FROM prekeys WHERE type = 'one-time'")}
    assert not prekeys & ids
    assert _standing(laptop, "renewal_due") == 0
    laptop.send("bob", "written after the restore")
    world.pass_time(1)
    bob.send("alice", "heard you")
    assert bob.texts()[-2:] == ["written after the restore", "heard you"]
    assert laptop.texts()[-1] == "heard you"
    assert "possible-copy" in bob.notices()
    laptop.connect()
    assert laptop.notices().count("restored-from-copy") == 1


def test_new_prekeys_are_made_once_however_often_they_are_sent(
    world: World, alice: WorldDevice
) -> None:
    """Of two different stocks the relay may keep the one whose private halves are gone."""
    backup = copy_database(alice)
    alice.connect()
    put_back(alice, backup)
    sent: list[DepositPrekeys] = []

    def hold_back(request: ClientFrame) -> Refused | None:
        if isinstance(request, DepositPrekeys) and request.replace:
            sent.append(request)
            return Refused("busy")
        return None

    world.relay.refusing = hold_back
    alice.connect()
    alice.feed(inputs.RecoverSamePhone())
    world.settle()
    for _ in range(2):
        alice.connect()
    assert len(sent) >= 2
    assert all(one == sent[0] for one in sent)
    world.relay.refusing = lambda _request: None
    alice.connect()
    world.register("bob").send("alice", "hello")
    assert alice.texts() == ["hello"]


def test_twin_without_the_renewal_its_messages_vanish(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switched off: Bob takes a repeated message key for a duplicate and shows nothing."""
    monkeypatch.setattr(restored, "compare_memories", lambda *_: None)
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    laptop = world.link(alice, "alice's laptop")
    laptop.send("bob", "one")
    bob.send("alice", "two")
    world.pass_time(10_000)
    backup = copy_database(laptop)
    laptop.send("bob", "lost with the disk")
    put_back(laptop, backup)
    laptop.connect()
    laptop.send("bob", "written after the restore")
    assert "written after the restore" not in bob.texts()


def test_what_a_copy_writes_that_nobody_noticed_is_asked_for_again(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """No login came between, so no counter tells; the keys it uses again do."""
    bob.send("alice", "hello")
    laptop.send("bob", "one")
    world.pass_time(10_000)
    backup = copy_database(laptop)
    laptop.send("bob", "two")
    put_back(laptop, backup)
    laptop.connect()
    assert "restored-from-copy" not in laptop.notices()
    laptop.send("bob", "three")
    world.pass_time(60_000)
    assert bob.texts() == alice.texts() == ["hello", "one", "two", "three"]
    laptop.send("bob", "four")
    assert bob.texts()[-1] == "four"


def test_twin_taken_for_repetitions_they_vanish(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switched off: every used key is a repetition, and nobody ever knows."""
    monkeypatch.setattr(inbox, "is_seen", lambda *_: True)
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    bob.send("alice", "hello")
    alice.send("bob", "one")
    world.pass_time(10_000)
    backup = copy_database(alice)
    alice.send("bob", "two")
    put_back(alice, backup)
    alice.connect()
    alice.send("bob", "three")
    world.pass_time(60_000)
    assert bob.texts() == ["hello", "one", "two"]
    assert "message-waits" not in bob.notices()


def test_a_restored_phone_signs_and_sends_nothing_until_it_recovers(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """Then only its generation rises, and what it had queued leaves."""
    alice.send("bob", "one")
    bob.send("alice", "two")
    backup = copy_database(alice)
    alice.connect()
    alice.feed(inputs.SetLease(90 * DAY_MS))
    world.settle()
    number, keys = alice.own.device, alice.own.secrets.public_keys

    put_back(alice, backup)
    world.pass_time(3 * DAY_MS)
    alice.connect()
    assert alice.notices().count("restored-from-copy") == 1
    with pytest.raises(RefusedError) as refused:
        alice.feed(inputs.SetLease(60 * DAY_MS))
    assert refused.value.code == "phone-displaced"
    waiting = alice.send("bob", "waits")
    assert waiting.state == "queued"
    assert "lists-forked" not in laptop.notices() + bob.notices()

    alice.verification_refused = True
    alice.feed(inputs.RecoverSamePhone())
    assert alice.happened(events.RequestRefused)[-1].code == "verification-refused"
    alice.verification_refused = False
    alice.feed(inputs.RecoverSamePhone())
    world.settle()
    assert len(alice.happened(events.AccountActivated)) == 2
    alice.connect()
    world.pass_time(10_000)
    assert (alice.own.device, alice.own.secrets.public_keys) == (number, keys)
    assert alice.own.generation == 2  # the one that was refused is not used again
    assert bob.texts() == ["one", "two", "waits"]
    assert state(laptop) is State.ACTIVE
    assert _standing(alice, "renewal_due") == 0
    bob.send("alice", "good to hear")
    assert alice.texts()[-1] == laptop.texts()[-1] == "good to hear"
    assert "possible-copy" not in bob.notices() + laptop.notices()
    assert "contact-new-phone" in bob.notices()
    alice.feed(inputs.SetLease(60 * DAY_MS))
    world.settle()
    with pytest.raises(LocalError) as caught:
        alice.feed(inputs.RecoverSamePhone())
    assert caught.value.code == "not-displaced"


def test_a_phone_that_recovered_on_too_old_a_list_recovers_again(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """It kept a companion that is gone; the relay refuses; the next holds."""
    backup = copy_database(alice)
    laptop.feed(inputs.Resign())
    alice.connect()
    put_back(alice, backup)
    busy = Refused("busy")
    world.relay.refusing = lambda request: busy if isinstance(request, FetchLists) else None
    alice.connect()
    alice.feed(inputs.RecoverSamePhone())
    world.settle()
    assert alice.happened(events.RequestRefused)[-1].code == "list-number-reused"
    assert alice.send("bob", "waits").state == "queued"

    world.relay.refusing = lambda _request: None
    alice.connect()
    alice.feed(inputs.RecoverSamePhone())
    world.settle()
    assert alice.own.generation == 2
    assert bob.texts() == ["waits"]
    assert "lists-forked" not in bob.notices()


def test_a_phone_that_signed_before_it_heard_of_its_other_life_recovers(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """The relay holds another list in that place; the phone's own gives way and hurts nobody."""
    alice.send("bob", "one")
    backup = copy_database(alice)
    alice.feed(inputs.SetLease(90 * DAY_MS))
    world.settle()
    put_back(alice, backup)
    alice.feed(inputs.SetLease(60 * DAY_MS))
    alice.connect()
    assert "lists-forked" in alice.notices()

    alice.feed(inputs.RecoverSamePhone())
    world.settle()
    assert alice.happened(events.RequestRefused)[-1].code == "list-forked"
    alice.feed(inputs.RecoverSamePhone())
    world.settle()
    alice.connect()
    assert query(alice, "SELECT count(*) FROM own_lists WHERE published = 0") == [(0,)]
    assert alice.own.generation == 1
    alice.send("bob", "two")
    laptop.send("bob", "three")
    assert bob.texts() == ["one", "two", "three"]
    assert "lists-forked" not in laptop.notices() + bob.notices()


def test_a_copy_from_before_its_list_was_confirmed_goes_on(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """The relay has the list with the laptop, and the next ones; the copy waits to publish it."""
    alice.send("bob", "one")
    story = LinkStory.begin(alice).until_answered()
    ill = Refused("relay-failure")
    world.relay.refusing = lambda request: ill if isinstance(request, PublishLists) else None
    story.accept()
    backup = copy_database(alice)
    world.relay.refusing = lambda _request: None
    alice.connect()
    alice.feed(inputs.LogOutDevice(DeviceNumber(1), wipe=False))
    world.settle()

    put_back(alice, backup)
    alice.connect()
    alice.feed(inputs.RecoverSamePhone())
    world.settle()
    alice.connect()
    assert query(alice, "SELECT count(*) FROM own_lists WHERE published = 0") == [(0,)]
    assert query(alice, "SELECT count(*) FROM publications") == [(0,)]
    alice.send("bob", "two")
    assert bob.texts() == ["one", "two"]
    assert "lists-forked" not in [*alice.notices(), *bob.notices()]
    assert world.link(alice, "another laptop").own.device > 1


def test_a_log_out_signed_before_it_heard_of_its_other_life_is_signed_again(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """The list gives way, not the wish: the laptop is out and wiped, though nobody asks again."""
    laptop, tablet = world.link(alice, "alice's laptop"), world.link(alice, "alice's tablet")
    alice.send("bob", "one")
    backup = copy_database(alice)
    alice.feed(inputs.SetLease(90 * DAY_MS))
    world.settle()
    put_back(alice, backup)
    alice.feed(inputs.LogOutDevice(laptop.own.device, wipe=True))
    alice.connect()
    assert alice.happened(events.DeviceRemoved) == []
    for _ in range(2):
        alice.feed(inputs.RecoverSamePhone())
        world.settle()
    alice.connect()
    laptop.connect()
    assert alice.happened(events.DeviceRemoved) == [events.DeviceRemoved(laptop.own.device)]
    assert laptop.happened(events.DeviceLoggedOut)
    assert laptop.texts() == []
    tablet.send("bob", "two")
    world.pass_time(1)
    bob.send("alice", "three")
    assert bob.texts() == ["one", "two", "three"] == alice.texts() == tablet.texts()


def test_twin_without_giving_way_no_relay_takes_its_lists(
    world: World, alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: its new generation waits behind a list that nobody takes, for ever."""
    backup = copy_database(alice)
    alice.feed(inputs.SetLease(90 * DAY_MS))
    world.settle()
    put_back(alice, backup)
    alice.feed(inputs.SetLease(60 * DAY_MS))
    alice.connect()
    monkeypatch.setattr(own_lists, "unpublished", lambda *_: [])
    alice.feed(inputs.RecoverSamePhone())
    world.settle()
    world.pass_time(3 * DAY_MS)
    assert query(alice, "SELECT count(*) FROM own_lists WHERE published = 0") != [(0,)]


def test_twin_a_restored_phone_that_goes_on_signing_forks_its_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Switched off: it signs a second list for one place, and everybody who sees both knows."""
    monkeypatch.setattr(restored, "compare_memories", lambda *_: None)
    monkeypatch.setattr(own_account, "is_displaced", lambda _: False)
    world = World()
    alice = world.register("alice")
    laptop = world.link(alice, "alice's laptop")
    backup = copy_database(alice)
    alice.feed(inputs.SetLease(90 * DAY_MS))
    world.settle()
    put_back(alice, backup)
    alice.feed(inputs.SetLease(60 * DAY_MS))
    alice.connect()
    assert "lists-forked" in alice.notices()
    assert "lists-forked" not in laptop.notices()


def test_a_restored_phone_whose_relay_hides_the_counter_stops_at_the_lists(
    world: World, alice: WorldDevice
) -> None:
    """The later lists of its own key are proof enough: it signed them and does not know it."""
    backup = copy_database(alice)
    alice.feed(inputs.SetLease(90 * DAY_MS))
    world.settle()
    put_back(alice, backup)
    world.relay.answering = lambda _link, request, answer: (
        Welcome(0, answer.head, answer.one_time_prekeys, answer.mailbox_entries)
        if isinstance(request, Login) and isinstance(answer, Welcome)
        else answer
    )
    world.pass_time(2 * DAY_MS)
    alice.connect()
    assert "phone-displaced" in alice.notices()
    assert "lists-forked" not in alice.notices()
    alice.feed(inputs.RecoverSamePhone())
    world.settle()
    assert query(alice, "SELECT max(generation) FROM own_lists WHERE published = 1") == [(1,)]


def test_recover_same_phone_is_for_the_phone() -> None:
    """A companion has no account key to ask for."""
    world = World()
    laptop = world.link(world.register("alice"), "alice's laptop")
    with pytest.raises(LocalError) as caught:
        laptop.feed(inputs.RecoverSamePhone())
    assert caught.value.code == "not-the-phone"


def test_a_relay_put_back_from_a_backup_gets_lists_and_prekeys_again(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """It had handed out pairs since: they are replaced; peers wait until the lists are back."""
    bob.send("alice", "hello")
    backup = world.relay.store.copy()
    laptop = world.link(alice, "alice's laptop")
    bob.send("alice", "to both")
    assert laptop.texts() == ["to both"]
    for device in (alice, bob, laptop):
        device.disconnect()

    world.relay.store = backup
    bob.connect()
    waiting = bob.send("alice", "while the relay is behind")
    assert waiting.state == "queued"
    causes = [one.cause for one in bob.events if hasattr(one, "cause")]
    assert causes[-1] == "relay-behind"

    frames: list[DepositPrekeys] = []

    def listen(_link: Link, request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        if isinstance(request, DepositPrekeys):
            frames.append(request)
        return answer

    world.relay.answering = listen
    alice.connect()
    assert any(frame.replace for frame in frames)
    assert query(alice, "SELECT count(*) FROM prekeys WHERE type = 'one-time'") == [
        (ONE_TIME_PREKEYS,)
    ]
    laptop.connect()
    bob.connect()
    assert "while the relay is behind" in alice.texts()
    assert "while the relay is behind" in laptop.texts()
    assert "restored-from-copy" not in alice.notices() + laptop.notices() + bob.notices()


def test_crossing_logins_of_two_processes_alarm_nobody(alice: WorldDevice) -> None:
    """Counters that come back in another order are neither a copy nor a relay put back."""
    with alice.database.transaction():
        alice.database.run("UPDATE own_device SET login_counter = 9")
        alice.database.run("UPDATE own_standing SET welcomed_counter = 9")
    login = Login(alice.own.certificate, bytes(32), "", 8, bytes(64))  # type: ignore[arg-type]
    head = head_of(alice, alice.own.account_id)
    alice.feed(inputs.RelayAnswered(login, Welcome(7, head, ONE_TIME_PREKEYS, 0)))
    assert "restored-from-copy" not in alice.notices()
    assert _standing(alice, "renewal_due") == 0
    alice.feed(inputs.RelayAnswered(login, Welcome(8, head, ONE_TIME_PREKEYS, 0)))
    assert "restored-from-copy" in alice.notices()


def test_an_absurd_counter_does_not_end_logins(laptop: WorldDevice) -> None:
    """A lying relay can't push the counter to where no further login can be encoded."""
    login = Login(laptop.own.certificate, bytes(32), "", 9, bytes(64))  # type: ignore[arg-type]
    head = head_of(laptop, laptop.own.account_id)
    laptop.feed(inputs.RelayAnswered(login, Welcome(2**53 - 1, head, ONE_TIME_PREKEYS, 0)))
    assert laptop.own.login_counter == LOGIN_COUNTER_MAX
    laptop.connect()
    assert laptop.own.login_counter == LOGIN_COUNTER_MAX + 1
