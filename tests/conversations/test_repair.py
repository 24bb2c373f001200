"""A message that can't be opened is sent again, whatever was lost or damaged on either side."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.conversations.damages import (
    A_MOMENT_MS,
    asked_in_vain,
    changed_mail,
    lose_sessions,
    mail_lost,
    messages_damaged,
    push,
    reasons,
    recovered_texts,
    repairs_open,
    told,
)
from tests.conversations.mishaps import query
from tests.world import World, WorldDevice

from untether.base.identifiers import DAY_MS, HOUR_MS
from untether.base.limits import (
    PREKEY_AGE_MAX_MS,
    REPAIR_RETRY_MS,
    REPAIRS_PER_STRANGER_MAX,
    SKIPPED_KEY_MS,
)
from untether.device import events, inputs
from untether.device.store import outbox
from untether.protocol.pairwise.handshake import PREFIX_LENGTH, Handshake
from untether.wire.server_frames import Entry


def states(device: WorldDevice, text: str) -> list[str]:
    """Return the states of the messages with a text."""
    return [message.state for message in device.history() if message.text == text]


def test_a_receiver_that_lost_its_sessions_gets_everything_again(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """Three messages, one request; both see that it happened, in the places of the first time."""
    alice, bob = people
    lose_sessions(bob, alice)
    for text in ("one", "two", "three"):
        alice.send("bob", text)
        world.pass_time(1)
    bob.send("alice", "I can't read you")
    assert "one" not in bob.texts()
    assert told(bob, "message-waits") == [{"cause": "unknown-session", "device": 0}]
    world.pass_time(A_MOMENT_MS)
    assert bob.texts()[-4:] == ["one", "two", "three", "I can't read you"]
    assert recovered_texts(bob) == ["one", "two", "three"]
    assert len(bob.happened(events.MessageRecovered)) == 3
    assert told(alice, "message-sent-again") == [{"device": 0, "count": 3}]
    assert [states(alice, text) for text in ("one", "two", "three")] == [["delivered"]] * 3
    assert repairs_open(bob) == 0
    assert reasons(bob) == []


def test_a_sender_that_lost_its_sessions_goes_on(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """What Bob wrote meanwhile is repaired for Alice; what she asks for opens at once."""
    alice, bob = people
    lose_sessions(alice, bob)
    bob.send("alice", "one")
    world.pass_time(A_MOMENT_MS)
    alice.send("bob", "two")
    world.pass_time(A_MOMENT_MS)
    assert alice.texts() == bob.texts()
    assert alice.texts()[-2:] == ["one", "two"]
    assert recovered_texts(alice) == ["one"]
    assert "possible-copy" not in [*alice.notices(), *bob.notices()]


def test_both_may_have_lost_their_sessions(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """Bob asks on a session that Alice has lost; a later try comes on a fresh one."""
    alice, bob = people
    with messages_damaged(world, bob):
        alice.send("bob", "one")
    lose_sessions(alice, bob)
    with mail_lost(world, alice) as lost:
        world.pass_time(A_MOMENT_MS)
    [request] = lost
    lose_sessions(bob, alice)
    push(alice, request)
    assert "one" not in bob.texts()
    world.pass_time(REPAIR_RETRY_MS)
    assert recovered_texts(bob) == ["one"]
    assert query(alice, "SELECT count(*) FROM repairs") == [(0,)]


@pytest.mark.parametrize("part", ["header", "body"])
def test_damaged_mail_is_repaired(
    world: World, people: tuple[WorldDevice, WorldDevice], part: str
) -> None:
    """Only a damaged header leaves a doubt about the session, so only then a new one begins."""
    alice, bob = people

    def damage(device: WorldDevice, entry: Entry) -> Entry:
        whole = getattr(entry, part)
        return structs.replace(entry, **{part: whole[:-1] + bytes([whole[-1] ^ 1])})

    with changed_mail(world, damage):
        alice.send("bob", "one")
    world.pass_time(A_MOMENT_MS)
    assert recovered_texts(bob) == ["one"]
    assert query(bob, "SELECT count(*) FROM sessions") == [(2 if part == "header" else 1,)]
    assert states(alice, "one") == ["delivered"]
    assert "possible-copy" not in alice.notices()


@pytest.mark.parametrize("ahead_ms", [0, 12 * HOUR_MS])
def test_a_first_message_for_a_prekey_that_is_gone_is_repaired(
    world: World, people: tuple[WorldDevice, WorldDevice], ahead_ms: int
) -> None:
    """Also when the sender's clock is ahead, so that its dead session goes before the new one."""
    alice, bob = people
    laptop = world.link(alice, "alice's laptop")
    alice.send("bob", "I have a laptop")
    laptop.clock_ahead_ms = ahead_ms
    bob.disconnect()
    laptop.send("bob", "from the laptop")
    waiting: list[Entry] = []

    def look(_: WorldDevice, entry: Entry) -> Entry:
        waiting.append(entry)
        return entry

    with changed_mail(world, look):
        bob.connect(receiving=False)
        bob.feed(inputs.StartMail())
        while not waiting:
            bob.step()
    header = waiting[0].header
    assert header is not None
    handshake = Handshake.from_bytes(header[:PREFIX_LENGTH])
    with bob.database.transaction():
        bob.database.run("DELETE FROM prekeys WHERE id = ?", handshake.one_time_id)
    world.settle()
    assert told(bob, "message-waits") == [{"cause": "prekey-gone", "device": 1}]
    world.pass_time(A_MOMENT_MS)
    assert recovered_texts(bob) == ["from the laptop"]
    laptop.send("bob", "and once more")
    assert bob.texts()[-1] == "and once more"


def test_a_message_whose_key_has_expired_is_repaired(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """It keeps the accept time that the relay gave when it was sent."""
    alice, bob = people
    with mail_lost(world, bob) as lost:
        early = alice.send("bob", "early")
    alice.send("bob", "late")
    world.pass_time(SKIPPED_KEY_MS + HOUR_MS)
    bob.connect()
    push(bob, lost[0])
    assert told(bob, "message-waits") == [{"cause": "message-key-expired", "device": 0}]
    world.pass_time(A_MOMENT_MS)
    assert bob.texts()[-2:] == ["early", "late"]
    assert bob.history()[-2].accepted_at == early.accepted_at
    assert query(bob, "SELECT count(*) FROM sessions") == [(1,)]


def test_a_device_that_was_asleep_asks_for_what_was_not_sealed_for_it(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """The laptop comes back after weeks: what Bob could not seal for it is sent again."""
    alice, bob = people
    laptop = world.link(alice, "alice's laptop")
    laptop.disconnect()
    for _ in range(PREKEY_AGE_MAX_MS // DAY_MS + 1):
        world.pass_time(DAY_MS)
        alice.connect()
    bob.connect()
    bob.send("alice", "where are you?")
    world.pass_time(1)
    alice.send("bob", "here")
    bob.connect()
    laptop.connect()
    assert told(laptop, "message-waits")[0]["cause"] == "not-sealed-asleep"
    world.pass_time(DAY_MS)
    assert recovered_texts(laptop) == ["where are you?"]
    assert laptop.texts() == ["where are you?", "here"]
    assert repairs_open(laptop) == 0


def test_a_companion_whose_lease_has_ended_asks_when_it_is_renewed(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """Bob would not answer it before; all tries are left when the phone is back."""
    alice, bob = people
    laptop = world.link(alice, "alice's laptop")
    alice.send("bob", "I have a laptop")
    bob.send("alice", "fine")
    alice.disconnect()
    for _ in range(32):
        world.pass_time(DAY_MS)
        bob.connect()
    bob.send("alice", "where are you?")
    world.pass_time(10 * DAY_MS)
    assert told(laptop, "message-waits")[0]["cause"] == "not-sealed-lease-expired"
    assert query(laptop, "SELECT tries FROM repairs") == [(0,)]
    alice.connect()
    world.pass_time(2 * DAY_MS)
    assert recovered_texts(laptop) == ["where are you?"]


def test_a_sender_that_is_away_answers_when_it_is_back(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """Weeks later, and nothing was given up."""
    alice, bob = people
    with messages_damaged(world, bob):
        alice.send("bob", "one")
    alice.disconnect()
    world.pass_time(20 * DAY_MS)
    assert repairs_open(bob) == 1
    alice.connect()
    world.pass_time(A_MOMENT_MS)
    assert recovered_texts(bob) == ["one"]
    assert "possible-copy" not in alice.notices()


def test_no_try_is_counted_while_the_receiver_is_offline(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """One request waits in the outbox, and leaves with the next connection."""
    alice, bob = people
    with messages_damaged(world, bob):
        alice.send("bob", "one")
    bob.disconnect()
    world.pass_time(20 * DAY_MS)
    assert query(bob, "SELECT tries FROM repairs") == [(1,)]
    with bob.database.transaction():
        assert len(outbox.every(bob.database)) == 1
    bob.connect()
    world.pass_time(A_MOMENT_MS)
    assert recovered_texts(bob) == ["one"]


def test_whoever_was_away_for_long_asks_again_when_back(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """The first request got lost and nothing is given up meanwhile; the sender still has it."""
    alice, bob = people
    asked_in_vain(world, alice, bob)
    bob.disconnect()
    world.pass_time(40 * DAY_MS)
    bob.connect()
    world.pass_time(A_MOMENT_MS)
    assert recovered_texts(bob) == ["one"]
    assert reasons(bob) == []


def test_a_request_whose_own_start_met_no_prekey_is_asked_on_another_one(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """Alice can't open what she was asked on; days later Bob starts anew, and alarms nobody."""
    alice, bob = people
    with messages_damaged(world, bob), mail_lost(world, alice) as lost:
        alice.send("bob", "one")
        world.pass_time(A_MOMENT_MS)
    header = lost[-1].header
    assert header is not None
    handshake = Handshake.from_bytes(header[:PREFIX_LENGTH])
    with alice.database.transaction():
        alice.database.run("DELETE FROM prekeys WHERE id = ?", handshake.one_time_id)
    world.pass_time(3 * DAY_MS)
    assert recovered_texts(bob) == []
    world.pass_time(2 * DAY_MS)
    assert recovered_texts(bob) == ["one"]
    assert "possible-copy" not in [*alice.notices(), *bob.notices()]


def test_own_copies_are_repaired_by_the_device_that_wrote(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """Alice's laptop lost its sessions; what her phone writes to Bob appears there all the same."""
    alice, bob = people
    laptop = world.link(alice, "alice's laptop")
    alice.send("bob", "I have a laptop")
    lose_sessions(laptop, alice)
    alice.send("bob", "one")
    world.pass_time(A_MOMENT_MS)
    assert laptop.texts() == ["I have a laptop", "one"]
    assert laptop.history()[-1].outgoing
    assert "possible-copy" not in alice.notices()
    assert "repair" not in str(bob.notices())


def test_receipts_and_notices_of_devices_are_repaired_too(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """The laptop learns the phone's name, and Alice that her message has arrived."""
    alice, _ = people
    with messages_damaged(world, alice):
        alice.send("bob", "one")
        world.pass_time(A_MOMENT_MS)
    assert len(told(alice, "message-waits")) == 1
    assert states(alice, "one") == ["delivered"]
    assert recovered_texts(alice) == []
    laptop = world.link(alice, "alice's laptop")
    told_names = "SELECT name FROM own_device_notices ORDER BY device"
    tablet = world.offer_link("alice's tablet")
    with messages_damaged(world, laptop):
        alice.feed(inputs.ApproveLink(tablet.happened(events.LinkOffered)[-1].link_text))
        world.settle()
        alice.feed(inputs.ConfirmLink(accept=True))
        world.settle()
        tablet.feed(inputs.ConfirmAccount(accept=True))
        world.settle()
    assert ("alice's tablet",) not in query(laptop, told_names)
    world.pass_time(A_MOMENT_MS)
    assert ("alice's tablet",) in query(laptop, told_names)


def test_a_stranger_is_asked_as_soon_as_somebody_writes_to_him(world: World) -> None:
    """Before that nothing tells him that anybody is there."""
    alice, bob = world.register("alice"), world.register("bob")
    with messages_damaged(world, bob):
        for number in range(REPAIRS_PER_STRANGER_MAX + 1):
            alice.send("bob", f"letter {number}")
    world.pass_time(3 * DAY_MS)
    assert told(alice, "message-sent-again") == []
    assert reasons(bob) == ["too-many-to-repair"]
    bob.send("alice", "who are you?")
    world.pass_time(A_MOMENT_MS)
    assert len(recovered_texts(bob)) == REPAIRS_PER_STRANGER_MAX
    assert repairs_open(bob) == 0


def test_the_message_after_its_answer_is_not_shown_again(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """It opens under a key of its own; only its id says that it was shown."""
    alice, bob = people
    with messages_damaged(world, bob) as true:
        alice.send("bob", "one")
        world.pass_time(A_MOMENT_MS)
    assert recovered_texts(bob) == ["one"]
    push(bob, true[0])
    assert len(bob.happened(events.MessageReceived)) == 2
    assert bob.texts().count("one") == 1


def test_the_message_itself_ends_its_repair(
    world: World, people: tuple[WorldDevice, WorldDevice]
) -> None:
    """The relay brings the true one in the end: shown once, and nobody is asked any more."""
    alice, bob = people
    with messages_damaged(world, bob) as true, mail_lost(world, alice):
        alice.send("bob", "one")
        world.pass_time(A_MOMENT_MS)
    push(bob, true[0])
    assert bob.texts()[-1] == "one"
    assert repairs_open(bob) == 0
    world.pass_time(DAY_MS)
    assert bob.texts().count("one") == 1
    assert told(alice, "message-sent-again") == []
