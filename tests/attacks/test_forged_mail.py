"""Mail that a relay changes, repeats, turns around, or gives another sender."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs
from tests.attacks.defences import (
    AUTHENTICATION,
    CONVERSATION_OF_THE_SENDER,
    ONE_SAVEPOINT,
    USED_KEYS_GO_AND_IDS_STAY,
)
from tests.attacks.lying_relay import overhear_mail, push, take_mail
from tests.conversations.forgeries import Forger
from tests.conversations.mishaps import copy_database, put_back
from tests.world import World, WorldDevice

from untether.base.errors import PlatformError
from untether.device import events
from untether.wire.content import DirectConversation, Text
from untether.wire.server_frames import Entry


def one_message(alice: WorldDevice, bob: WorldDevice, text: str) -> Entry:
    """Let Alice write to Bob, and the relay keep the message for itself."""
    with take_mail(bob.world, bob) as taken:
        alice.send_to(bob.own.account_id, text)
    (entry,) = taken
    return entry


def shown(device: WorldDevice, text: str) -> int:
    """Count how often a device has shown a text."""
    return [one.text for one in device.happened(events.MessageReceived)].count(text)


def unreadable(device: WorldDevice) -> int:
    """Count the words to a device's owner about messages that can't be opened (yet)."""
    told = device.notices()
    return told.count("message-not-readable") + told.count("message-waits")


# --- Changed ----------------------------------------------------------------------------------


def every_bit_of(entry: Entry) -> list[Entry]:
    """Return copies of an entry, each with one bit of another byte changed."""
    changed = []
    for part in ("header", "body"):
        data = getattr(entry, part)
        for place in range(len(data)):
            bit = 1 << place % 8
            damaged = data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]
            changed.append(structs.replace(entry, **{part: damaged}))
    return changed


def test_no_changed_bit_passes(
    alice: WorldDevice, bob: WorldDevice, figures: Callable[[str], None]
) -> None:
    """Of header and body every byte is tried: nothing is shown, it is told, none is harmed."""
    entry = one_message(alice, bob, "genuine")
    changed = every_bit_of(entry)
    for forgery in changed:
        push(bob, forgery)
    figures(f"changed bits taken: {shown(bob, 'genuine')} of {len(changed)}")
    assert len(changed) > 400
    assert shown(bob, "genuine") == 0
    assert unreadable(bob) >= 1  # all are one message, which is asked for again
    push(bob, entry)
    assert shown(bob, "genuine") == 1


def test_twin_without_authentication_a_changed_bit_passes(
    alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the stream cipher alone, somebody else's bits are taken for Alice's."""
    AUTHENTICATION.switch_off(monkeypatch)
    for forgery in every_bit_of(one_message(alice, bob, "genuine")):
        push(bob, forgery)
    assert shown(bob, "genuine") >= 1


# --- Repeated ---------------------------------------------------------------------------------


def replay_everywhere(
    alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice, carol: WorldDevice
) -> Entry:
    """Bring one message again: at once, after a restart, turned around, to others, as others'."""
    with overhear_mail(bob.world, bob) as heard:
        alice.send("bob", "once")
    entry = next(one for one in heard if one.sender_device == alice.own.device)
    push(bob, entry, entry)
    put_back(bob, copy_database(bob))
    push(bob, entry)
    for receiver in (alice, laptop, carol):
        push(receiver, entry)
        push(receiver, structs.replace(entry, sender=bob.own.account_id))
    push(bob, structs.replace(entry, sender=carol.own.account_id))
    return entry


@pytest.fixture
def laptop(alice: WorldDevice, bob: WorldDevice) -> WorldDevice:
    """Return Bob's laptop, which Alice has written to."""
    linked = bob.world.link(bob, "laptop")
    alice.send("bob", "to both")
    return linked


@pytest.fixture
def carol(world: World, alice: WorldDevice, bob: WorldDevice) -> WorldDevice:
    """Return the phone of Carol, who has talked with both."""
    phone = world.register("carol")
    for other in (alice, bob):
        phone.send(other.own.name, "hello")
        other.send("carol", "hello")
    world.pass_time(10_000)
    return phone


def test_a_message_is_shown_once_where_it_belongs(
    alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice, carol: WorldDevice
) -> None:
    """Ten replays: twice at once, after a restart, reflected, to others, and under other names."""
    replay_everywhere(alice, bob, laptop, carol)
    devices = (alice, bob, laptop, carol)
    assert [shown(device, "once") for device in devices] == [0, 1, 1, 0]
    assert [device.texts().count("once") for device in devices] == [1, 1, 1, 0]
    assert min(unreadable(alice), unreadable(carol), unreadable(laptop)) >= 1
    for device in devices:
        device.connect()
    alice.send("bob", "and on we go")
    assert (bob.texts()[-1], laptop.texts()[-1]) == ("and on we go", "and on we go")


def test_twin_without_deleted_keys_and_seen_marks_it_is_taken_again(
    alice: WorldDevice,
    bob: WorldDevice,
    laptop: WorldDevice,
    carol: WorldDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Used keys are gone, ids are remembered; without both only the table of messages stops it."""
    USED_KEYS_GO_AND_IDS_STAY.switch_off(monkeypatch)
    with pytest.raises(PlatformError, match="UNIQUE constraint"):
        replay_everywhere(alice, bob, laptop, carol)


# --- Under another name ------------------------------------------------------------------------


def speak_in_the_conversation_of(bob: WorldDevice, alice: WorldDevice, carol: WorldDevice) -> None:
    """Let Carol, who has a session with Bob, name his conversation with Alice as hers."""
    forger = Forger(carol, bob)
    low, high = sorted((alice.own.account_id, bob.own.account_id))
    content = forger.content(Text("this is Alice"))
    forger.say(structs.replace(content, conversation=DirectConversation(low, high)))


def with_alice(bob: WorldDevice) -> list[str]:
    """Return what Bob sees in his conversation with Alice."""
    (alice,) = {one.other for one in bob.history() if one.text == "hello Alice"}
    return [one.text for one in bob.history() if one.other == alice]


def test_nobody_speaks_in_the_conversation_of_others(
    alice: WorldDevice, bob: WorldDevice, carol: WorldDevice
) -> None:
    """Who sent a message is whose session it came in, whatever it says about itself."""
    before = with_alice(bob)
    speak_in_the_conversation_of(bob, alice, carol)
    assert with_alice(bob) == before
    assert unreadable(bob) == 1
    bob.connect()
    carol.send("bob", "sorry")
    assert bob.texts()[-1] == "sorry"


def test_twin_without_the_check_carol_speaks_there(
    alice: WorldDevice, bob: WorldDevice, carol: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conversation would be what the message claims."""
    CONVERSATION_OF_THE_SENDER.switch_off(monkeypatch)
    speak_in_the_conversation_of(bob, alice, carol)
    assert "this is Alice" in with_alice(bob)


# --- First messages ----------------------------------------------------------------------------


def first_message_with_another_body(world: World, bob: WorldDevice) -> WorldDevice:
    """Bring Carol's first message to Bob with a body that is not hers, and then the true one."""
    carol = world.register("carol")
    with take_mail(world, bob) as taken:
        carol.send("bob", "I am Carol")
    (entry,) = taken
    assert entry.body is not None
    push(bob, structs.replace(entry, body=entry.body[:-1] + bytes([entry.body[-1] ^ 1])))
    world.settle()  # Bob asks who Carol is
    push(bob, entry)
    return carol


def test_a_forged_first_message_uses_no_prekey_up(world: World, bob: WorldDevice) -> None:
    """The pair is deleted with the message that opened: the true one still opens."""
    carol = first_message_with_another_body(world, bob)
    assert unreadable(bob) == 1
    assert bob.texts()[-1] == "I am Carol"
    bob.send("carol", "hello Carol")
    assert carol.texts()[-1] == "hello Carol"


def test_twin_without_the_savepoint_the_true_first_message_is_lost(
    world: World, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the failed attempt wrote would stay: its prekey is gone, and its place is used."""
    ONE_SAVEPOINT.switch_off(monkeypatch)
    first_message_with_another_body(world, bob)
    assert "I am Carol" not in bob.texts()
