"""Logging devices out: by the phone, by themselves, and what a relay alone can't do."""

from __future__ import annotations

import pytest
from tests.conversations.link_steps import devices, newest_list, numbers, state_of
from tests.world import UntetherError, World, WorldDevice
from tests.world_relay import Link

from untether.base.identifiers import DAY_MS, MINUTE_MS, DeviceAddress, DeviceNumber
from untether.device import events, gossip, inputs, membership
from untether.device.context import Context
from untether.device.store import notices, own_lists
from untether.device.store.own_device import State
from untether.protocol.identity.certificate import Role
from untether.protocol.identity.resignation import sign_resignation
from untether.protocol.identity.wipe_order import sign_wipe_order
from untether.wire import client_frames
from untether.wire.client_frames import ResolveName
from untether.wire.content import ListEvidence
from untether.wire.records import AccountLists, SignedObject
from untether.wire.server_frames import Done, LoggedOut, NotListed, Refused, ServerFrame, Welcome


@pytest.fixture
def world() -> World:
    """Return an empty world."""
    return World()


@pytest.fixture
def alice(world: World) -> WorldDevice:
    """Return Alice's phone."""
    return world.register("alice")


@pytest.fixture
def bob(world: World) -> WorldDevice:
    """Return Bob's phone."""
    return world.register("bob")


def assert_logged_out(device: WorldDevice) -> None:
    """Check that a device has no key any more, and says so."""
    own = device.own
    assert own.state is State.LOGGED_OUT
    assert bytes(own.secrets.signing_seed) + bytes(own.secrets.agreement_seed) == bytes(64)
    with device.database.transaction():
        left = device.database.rows(
            "SELECT id FROM sessions UNION ALL SELECT packed FROM sending_chains "
            "UNION ALL SELECT id FROM prekeys UNION ALL SELECT message_id FROM outbox "
            "UNION ALL SELECT body FROM own_resignation"
        )
    assert left == []
    assert len(device.happened(events.DeviceLoggedOut)) == 1


def test_log_out_cuts_a_device_off(world: World, alice: WorldDevice, bob: WorldDevice) -> None:
    """It keeps what it had, receives nothing more, and its number never returns."""
    laptop = world.link(alice, "laptop")
    bob.send("alice", "before")
    alice.log_out(laptop)
    assert_logged_out(laptop)
    assert [event.device for event in alice.happened(events.DeviceRemoved)] == [1]
    bob.send("alice", "after")
    world.pass_time(1)
    alice.send("bob", "from the phone")
    laptop.connect()
    assert laptop.texts() == ["before"]
    assert bob.history()[-1].text == "from the phone"
    with pytest.raises(UntetherError) as caught:
        laptop.send_to(bob.own.account_id, "still here?")
    assert caught.value.code == "logged-out"
    assert world.link(alice, "laptop again").own.device == 2
    assert numbers(alice) == [0, 2]


def test_a_peer_repeats_for_the_new_list(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Bob seals for two devices, hears that the lists changed, and seals again for one."""
    laptop = world.link(alice, "laptop")
    bob.send("alice", "to both")
    alice.log_out(laptop)
    world.relay.frames.clear()
    message = bob.send_to(alice.own.account_id, "to the phone")
    assert message.devices == 1
    assert alice.texts() == ["to both", "to the phone"]
    assert newest_list(bob).head.version == 1
    with bob.database.transaction():
        removed = bob.database.rows("SELECT device FROM peers WHERE removed_at IS NOT NULL")
    assert removed == [(1,)]


def test_a_message_sealed_before_the_log_out_is_sealed_again(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """What waited for an answer while the phone signed the next list leaves by that list."""
    laptop = world.link(alice, "laptop")
    alice.send("bob", "hello")
    alice.feed(inputs.SendText(bob.own.account_id, "sealed for the laptop too"))
    alice.disconnect()
    alice.feed(inputs.LogOutDevice(DeviceNumber(1), wipe=False))
    alice.connect()
    assert bob.texts() == ["hello", "sealed for the laptop too"]
    assert "sealed for the laptop too" not in laptop.texts()
    assert alice.history()[-1].state == "sent"


def test_what_was_for_a_removed_device_alone_is_dropped(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Bob still owes the laptop a turn of the ratchet when it goes: nothing waits for ever."""
    laptop = world.link(alice, "laptop")
    bob.ask(ResolveName("alice"))
    laptop.send("bob", "hello")
    waiting = "SELECT count(*) FROM outbox WHERE direct_device = 1"
    assert bob.database.rows(waiting) == [(1,)]
    alice.log_out(laptop)
    bob.send("alice", "is it gone?")  # brings the new list
    world.pass_time(MINUTE_MS)
    assert bob.database.rows(waiting) == [(0,)]


@pytest.mark.parametrize("wipe", [False, True])
def test_only_a_wipe_erases_messages(
    world: World, alice: WorldDevice, bob: WorldDevice, wipe: bool
) -> None:
    """A log-out erases keys; the phone's order erases messages and people as well."""
    laptop = world.link(alice, "laptop")
    laptop.send("bob", "hello")
    alice.log_out(laptop, wipe=wipe)
    assert_logged_out(laptop)
    assert laptop.texts() == ([] if wipe else ["hello"])
    with laptop.database.transaction():
        known = laptop.database.rows("SELECT count(*) FROM accounts")
        assert (not notices.unshown(laptop.database)) == wipe
    assert known == [(1 if wipe else 2,)]


@pytest.mark.parametrize("wipe", [False, True])
def test_a_device_that_was_away_follows_the_chain_to_its_log_out(
    world: World, alice: WorldDevice, wipe: bool
) -> None:
    """Newer lists have followed; it fetches those between, and finds the order for its own."""
    laptop = world.link(alice, "laptop")
    laptop.send_to(alice.own.account_id, "a note")
    laptop.disconnect()
    alice.log_out(laptop, wipe=wipe)
    for _ in range(3):
        world.pass_time(2 * DAY_MS)
        alice.connect()
    assert newest_list(alice).head.version > newest_list(laptop).head.version + 2
    laptop.connect()
    assert_logged_out(laptop)
    assert laptop.texts() == ([] if wipe else ["a note"])


def test_a_relay_alone_only_suspends(world: World, alice: WorldDevice) -> None:
    """Without a signed list that lacks it, a device keeps its keys and comes back."""
    laptop = world.link(alice, "laptop")

    def lie(link: Link, frame: ServerFrame) -> ServerFrame:
        if isinstance(frame, Welcome) and link.device is laptop:
            return NotListed(AccountLists("alice", (newest_list(laptop).signed,)))
        return frame

    world.relay.lie = lie
    laptop.connect()
    laptop.connect()
    assert state_of(laptop) is State.SUSPENDED
    assert len(laptop.happened(events.DeviceSuspended)) == 1
    world.relay.lie = lambda _, frame: frame
    laptop.connect()
    assert state_of(laptop) is State.ACTIVE


def test_lists_of_a_stranger_log_nobody_out(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """A relay that shows another account's list with its refusal is not believed."""
    laptop = world.link(alice, "laptop")
    laptop.feed(inputs.RelayPushed(LoggedOut(AccountLists("alice", (newest_list(bob).signed,)))))
    assert state_of(laptop) is State.SUSPENDED
    assert "relay-lists-refused" in laptop.notices()


def forged_order(alice: WorldDevice, laptop: WorldDevice, tablet: WorldDevice) -> SignedObject:
    """Sign a wipe order for the laptop with the tablet's key."""
    own, tablet_seed = laptop.own, tablet.own.secrets.signing_seed
    return sign_wipe_order(tablet_seed, own.account_id, own.device, newest_list(alice).head.hash)


@pytest.mark.parametrize("checked", [True, False])
def test_a_stolen_companion_can_wipe_nobody(
    world: World, alice: WorldDevice, monkeypatch: pytest.MonkeyPatch, checked: bool
) -> None:
    """Only the phone's signature wipes; twin: unchecked, a forged order erases the messages."""
    laptop, tablet = world.link(alice, "laptop"), world.link(alice, "tablet")
    laptop.send_to(alice.own.account_id, "a note")
    laptop.disconnect()
    alice.log_out(laptop)
    order = forged_order(alice, laptop, tablet)

    def lie(link: Link, frame: ServerFrame) -> ServerFrame:
        if isinstance(frame, NotListed) and link.device is laptop:
            account = frame.account
            return NotListed(AccountLists(account.name, account.lists, wipe_orders=(order,)))
        return frame

    world.relay.lie = lie
    if not checked:
        monkeypatch.setattr(membership, "open_wipe_order", lambda _order, _removing: None)
    laptop.connect()
    assert_logged_out(laptop)
    assert laptop.texts() == (["a note"] if checked else [])


def test_orders_for_others_wipe_nobody(world: World, alice: WorldDevice) -> None:
    """An order counts for its own device and a list of the chain; garbage counts for nothing."""
    laptop, tablet = world.link(alice, "laptop"), world.link(alice, "tablet")
    laptop.send_to(alice.own.account_id, "a note")
    laptop.disconnect()
    alice.log_out(tablet, wipe=True)
    alice.log_out(laptop)
    seed, account = alice.own.secrets.signing_seed, alice.own.account_id
    orders = (
        SignedObject(b"garbage", bytes(64)),
        sign_wipe_order(seed, account, laptop.own.device, bytes(32)),
    )

    def lie(_link: Link, frame: ServerFrame) -> ServerFrame:
        if isinstance(frame, NotListed):
            known = frame.account
            every = (*orders, *known.wipe_orders)
            return NotListed(AccountLists(known.name, known.lists, wipe_orders=every))
        return frame

    world.relay.lie = lie
    laptop.connect()
    assert_logged_out(laptop)
    assert laptop.texts() == ["a note"]


def test_a_companion_logs_itself_out(world: World, alice: WorldDevice, bob: WorldDevice) -> None:
    """Its resignation counts at once for all; the phone's next list leaves it out."""
    laptop, tablet = world.link(alice, "laptop"), world.link(alice, "tablet")
    bob.send("alice", "before")
    laptop.feed(inputs.Resign())
    world.settle()
    assert_logged_out(laptop)
    assert numbers(alice) == numbers(tablet) == [0, 2]
    assert "own-device-resigned" in alice.notices()
    assert bob.send_to(alice.own.account_id, "after").devices == 2
    assert tablet.texts() == alice.texts() == ["before", "after"]
    assert laptop.texts() == ["before"]


def test_a_resignation_counts_while_the_phone_is_away(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Peers and own devices leave it out although the list still names it."""
    laptop, tablet = world.link(alice, "laptop"), world.link(alice, "tablet")
    bob.send("alice", "before")
    alice.disconnect()
    laptop.feed(inputs.Resign())
    world.settle()
    assert [view.resigned for view in devices(tablet)] == [False, True, False]
    assert bob.send_to(alice.own.account_id, "after").devices == 2
    assert tablet.send_to(bob.own.account_id, "answer").state == "sent"
    assert newest_list(tablet).head.version == 3
    alice.connect()
    assert numbers(alice) == numbers(tablet) == [0, 2]
    assert sorted(alice.texts()) == sorted(tablet.texts()) == ["after", "answer", "before"]
    assert world.link(alice, "again").own.device == 3


def test_a_resignation_is_heard_behind_a_list_of_the_phone_s_own(
    world: World, alice: WorldDevice
) -> None:
    """What the relay says before it has that list is behind it, and the phone takes none of it."""
    laptop, tablet = world.link(alice, "laptop"), world.link(alice, "tablet")
    gone = {laptop.own.device, tablet.own.device}
    alice.disconnect()
    laptop.feed(inputs.Resign())
    world.settle()
    alice.feed(inputs.LogOutDevice(tablet.own.device, wipe=False))
    alice.connect()
    assert not gone & set(numbers(alice))
    assert alice.notices().count("own-device-resigned") == 1


def test_a_sealed_header_for_a_resigned_device_is_dropped(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Bob had sealed for the laptop when it resigned: the same list, but without it."""
    laptop = world.link(alice, "laptop")
    bob.send("alice", "hello")
    alice.disconnect()
    bob.feed(inputs.SendText(alice.own.account_id, "sealed for both"))
    bob.disconnect()
    laptop.feed(inputs.Resign())
    world.settle()
    bob.connect()
    assert bob.history()[-1].state == "sent"
    alice.connect()
    assert alice.texts() == ["hello", "sealed for both"]


def test_a_resignation_waits_for_the_relay(world: World, alice: WorldDevice) -> None:
    """Signed offline, it is sent at the next connection; until then the keys stay."""
    laptop = world.link(alice, "laptop")
    laptop.disconnect()
    laptop.feed(inputs.Resign())
    assert state_of(laptop) is State.ACTIVE
    laptop.connect()
    assert_logged_out(laptop)


@pytest.mark.parametrize("answer_is_lost", [False, True])
def test_a_resignation_takes_the_messages_along_when_that_was_wanted(
    world: World, alice: WorldDevice, bob: WorldDevice, *, answer_is_lost: bool
) -> None:
    """Nothing goes before the relay has it; then keys and messages go in one step."""
    laptop = world.link(alice, "laptop")
    bob.send("alice", "a secret")
    laptop.feed(inputs.Resign(wipe=True))
    assert laptop.texts() == ["a secret"]
    laptop.step()
    if answer_is_lost:
        laptop.disconnect()
        assert laptop.texts() == ["a secret"]
        laptop.connect()
    world.settle()
    assert_logged_out(laptop)
    assert laptop.texts() == []
    assert alice.texts() == ["a secret"]


def test_a_lost_answer_to_a_resignation_is_found_at_the_next_login(
    world: World, alice: WorldDevice
) -> None:
    """The relay shows the own resignation beside a list that still names the device."""
    laptop = world.link(alice, "laptop")
    alice.disconnect()
    laptop.feed(inputs.Resign())
    laptop.step()
    laptop.disconnect()
    assert state_of(laptop) is State.ACTIVE
    laptop.connect()
    assert_logged_out(laptop)


def test_answers_to_another_resignation_erase_nothing(world: World, alice: WorldDevice) -> None:
    """Keys go only when the relay has confirmed the resignation that is stored here."""
    laptop = world.link(alice, "laptop")
    own = laptop.own
    other = sign_resignation(own.secrets.signing_seed, own.account_id, own.device, bytes(32))
    laptop.feed(inputs.RelayAnswered(client_frames.Resign(other), Done(world.now)))
    assert state_of(laptop) is State.ACTIVE


def test_who_may_log_out_whom(world: World, alice: WorldDevice) -> None:
    """The phone stays; a companion logs out nobody else; an unknown number is named."""
    laptop = world.link(alice, "laptop")
    for device, command, code in (
        (alice, inputs.LogOutDevice(DeviceNumber(0), wipe=False), "phone-stays"),
        (alice, inputs.Resign(), "phone-stays"),
        (alice, inputs.LogOutDevice(DeviceNumber(7), wipe=False), "no-such-device"),
        (laptop, inputs.LogOutDevice(DeviceNumber(0), wipe=False), "not-the-phone"),
    ):
        with pytest.raises(UntetherError) as caught:
            device.feed(command)
        assert caught.value.code == code
        assert caught.value.hint


def test_a_phone_is_never_erased(world: World, alice: WorldDevice) -> None:
    """Whatever lists say, only its user erases a phone: it may have to recover."""
    alice.feed(inputs.RelayPushed(LoggedOut(AccountLists("alice", (newest_list(alice).signed,)))))
    assert alice.own.role is Role.PRIMARY
    assert state_of(alice) is State.SUSPENDED
    alice.connect()
    assert state_of(alice) is State.ACTIVE


def test_a_list_that_arrives_by_another_way_is_looked_into(
    world: World, alice: WorldDevice
) -> None:
    """A verified list without this device leads it to ask the relay, and then its keys go."""
    laptop = world.link(alice, "laptop")
    world.relay.lie = lambda link, frame: None if link.device is laptop else frame
    alice.log_out(laptop)
    world.relay.lie = lambda _, frame: frame
    assert state_of(laptop) is State.ACTIVE
    learn_by_evidence(alice, laptop)
    laptop.feed(inputs.Tick())
    fetches = [client_frames.FetchLists(laptop.own.account_id, newest_list(laptop).head)]
    assert [frame for frame in laptop.asked.values() if frame in fetches] == fetches


def learn_by_evidence(alice: WorldDevice, laptop: WorldDevice) -> None:
    """Let the laptop hold the phone's newest lists, as a peer's evidence would."""
    with alice.database.transaction():
        lists = tuple(own_lists.after(alice.database, newest_list(laptop).head))
    with laptop.database.transaction():
        context = Context(laptop.database, laptop.world.now, laptop.world.randomness)
        gossip.take_evidence(context, ListEvidence(lists))


def test_mail_of_a_logged_out_device_is_gone_from_the_relay(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """What waited for it is erased in the step that logs it out."""
    laptop = world.link(alice, "laptop")
    laptop.disconnect()
    bob.send("alice", "waiting")
    assert not world.mailbox_is_empty(laptop)
    alice.log_out(laptop)
    address = DeviceAddress(alice.own.account_id, DeviceNumber(1))
    assert ("entries", *address) not in {
        name for name, rows in world.relay.store.partitions.items() if rows
    }


def test_a_refusal_of_lists_is_told_or_tried_again(world: World, alice: WorldDevice) -> None:
    """A relay that fails gets them at the next connection; any other refusal is a notice."""
    laptop = world.link(alice, "laptop")
    code = "relay-failure"

    def lie(link: Link, frame: ServerFrame) -> ServerFrame:
        is_answer = isinstance(frame, Done) and link.device is alice
        return Refused(code) if is_answer else frame

    world.relay.lie = lie
    alice.log_out(laptop)
    assert "lists-not-taken" not in alice.notices()
    code = "lease-too-long"
    alice.connect()
    assert "lists-not-taken" in alice.notices()
    world.relay.lie = lambda _, frame: frame
    alice.connect()
    assert len(alice.happened(events.DeviceRemoved)) == 1
