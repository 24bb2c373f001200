"""Every repair ends, and none makes more work than it is worth."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise

import pytest
from tests.conversations.damages import (
    A_MOMENT_MS,
    acquainted,
    asked_in_vain,
    changed_mail,
    damaged,
    kinds_sent,
    lose_sessions,
    mail_lost,
    messages_damaged,
    push,
    reasons,
    recovered_texts,
    repairs_open,
    say,
    told,
)
from tests.conversations.forgeries import Forger
from tests.conversations.list_views import context_of
from tests.conversations.mishaps import copy_database, put_back, query
from tests.world import World, WorldDevice

from untether.base.identifiers import DAY_MS, HOUR_MS, MINUTE_MS, MessageId
from untether.base.limits import (
    KEPT_SENT_MS,
    REPAIR_MS,
    REPAIR_REQUESTS_PER_HOUR_MAX,
    REPAIR_TRIES_MAX,
)
from untether.device import inbox, outgoing, repair, repair_answers
from untether.device.store import peers, sent
from untether.wire.content import UNREPAIRED_ID, RatchetTurn, RepairAnswer, RepairRequest


@pytest.fixture
def world() -> World:
    """Return an empty world."""
    return World()


@pytest.fixture
def alice(world: World, bob: WorldDevice) -> WorldDevice:
    """Return Alice's phone."""
    return world.devices[0]


@pytest.fixture
def bob(world: World) -> WorldDevice:
    """Return Bob's phone; he and Alice have written to each other."""
    return acquainted(world)[1]


# --- How it ends -------------------------------------------------------------------------------


def test_after_five_tries_and_a_month_it_is_given_up(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each wait is longer than the last, restarts change nothing, and Bob is told the end."""
    said = kinds_sent(bob, monkeypatch)
    with messages_damaged(world, bob), mail_lost(world, alice):
        alice.send("bob", "one")
        times = []
        for _ in range(5 * DAY_MS // HOUR_MS):
            before = len(said)
            world.pass_time(HOUR_MS)
            put_back(bob, copy_database(bob))
            bob.connect()
            times += [world.now] * (len(said) - before)
        world.pass_time(REPAIR_MS - DAY_MS)
        assert repairs_open(bob) == 1
        assert reasons(bob) == []
        world.pass_time(DAY_MS)
    assert len(times) == REPAIR_TRIES_MAX
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits == sorted(waits)
    assert waits[-1] > 3 * DAY_MS
    assert reasons(bob) == ["unanswered"]
    assert repairs_open(bob) == 0
    world.pass_time(REPAIR_MS)
    assert len(said) == REPAIR_TRIES_MAX


def test_twin_that_counts_no_tries_asks_for_ever(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: the fifth try is followed by a sixth."""
    monkeypatch.setattr(repair, "REPAIR_TRIES_MAX", 10**9)
    monkeypatch.setattr(repair, "REPAIR_BACK_OFF", 1)
    said = kinds_sent(bob, monkeypatch)
    with messages_damaged(world, bob), mail_lost(world, alice):
        alice.send("bob", "one")
        world.pass_time(DAY_MS)
    assert len(said) > REPAIR_TRIES_MAX


def test_a_sender_that_was_logged_out_can_t_be_asked(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """The laptop is gone before it answered."""
    laptop = world.link(alice, "alice's laptop")
    laptop.send("bob", "I am new")
    bob.send("alice", "welcome")
    world.pass_time(A_MOMENT_MS)
    asked_in_vain(world, laptop, bob)
    alice.log_out(laptop)
    alice.send("bob", "I have no laptop any more")
    world.pass_time(DAY_MS)
    assert reasons(bob) == ["device-removed"]
    assert repairs_open(bob) == 0


def test_a_device_that_is_logged_out_gives_up(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Its keys are erased: nothing will come any more, and it says so."""
    laptop = world.link(bob, "bob's laptop")
    laptop.send("alice", "I am new")
    world.pass_time(A_MOMENT_MS)
    asked_in_vain(world, alice, laptop)
    bob.log_out(laptop)
    assert reasons(laptop) == ["logged-out"]
    assert query(laptop, "SELECT count(*) FROM sent") == [(0,)]


# --- No loops ----------------------------------------------------------------------------------


def _said(world: World, step_ms: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Let the relay damage all that Alice and Bob send; yield how much they say in each step."""
    alice, bob = world.devices
    said = [kinds_sent(device, monkeypatch) for device in (alice, bob)]
    with changed_mail(world, lambda _, entry: damaged(entry)):
        alice.send("bob", "one")
        bob.send("alice", "two")
        while True:
            before = sum(map(len, said))
            world.pass_time(step_ms)
            yield sum(map(len, said)) - before


def test_a_relay_that_damages_everything_starts_no_loop(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five requests each way and silence; both people see what can't be read."""
    counts = list(islice(_said(world, DAY_MS, monkeypatch), 35))
    assert counts == [8, 0, 0, 0, 2, *[0] * 30]
    assert sum(counts) == 2 * REPAIR_TRIES_MAX
    for device in (alice, bob):
        assert reasons(device) == ["unanswered"]
        assert repairs_open(device) == 0


def test_twin_that_repairs_repairs_never_ends(
    world: World, alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: each request that can't be opened is asked for, as often as it comes."""
    monkeypatch.setattr(inbox, "is_repaired", lambda _: True)
    monkeypatch.setattr(peers, "count_asked", lambda *_: 0)
    assert sum(islice(_said(world, MINUTE_MS, monkeypatch), 2)) > 10 * REPAIR_TRIES_MAX


def test_what_needs_no_repair_ends_without_a_word(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """A lost turn of the ratchet is nothing that people should hear of."""
    with alice.database.transaction():
        context = context_of(alice)
        message_id = outgoing.send_direct(
            context, bob.own.account_id, bob.own.device, RatchetTurn()
        )
    assert message_id.startswith(UNREPAIRED_ID)
    with changed_mail(world, lambda _, entry: damaged(entry)):
        alice.connect()
    assert repairs_open(bob) == 0
    assert bob.notices() == []
    assert not alice.send("bob", "hello").message_id.startswith(UNREPAIRED_ID)


# --- No amplification --------------------------------------------------------------------------


def test_a_message_is_sent_again_five_times_at_most(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bob may be as insistent as he likes, and name one message as often as he likes."""
    message = alice.send("bob", "one")
    said = kinds_sent(alice, monkeypatch)
    forger = Forger(bob, alice)
    for _ in range(REPAIR_TRIES_MAX + 3):
        say(forger, forger.content(RepairRequest((message.message_id,) * 9)))
        world.pass_time(HOUR_MS)
    assert [type(kind) for _, kind in said] == [RepairAnswer] * REPAIR_TRIES_MAX
    assert bob.texts().count("one") == 1


def test_requests_are_counted(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of them is answered up to the bound, and again after an hour."""
    said = kinds_sent(alice, monkeypatch)
    forger = Forger(bob, alice)

    def flood() -> None:
        for number in range(REPAIR_REQUESTS_PER_HOUR_MAX + 9):
            say(forger, forger.content(RepairRequest((MessageId(bytes([number] * 16)),))))

    flood()
    assert len(said) == REPAIR_REQUESTS_PER_HOUR_MAX
    world.pass_time(HOUR_MS)
    flood()
    assert len(said) == 2 * REPAIR_REQUESTS_PER_HOUR_MAX
    monkeypatch.setattr(repair_answers, "REPAIR_REQUESTS_PER_HOUR_MAX", 10**9)  # the twin
    flood()
    assert len(said) > 3 * REPAIR_REQUESTS_PER_HOUR_MAX


@pytest.mark.parametrize("bound", [2, 10**9], ids=["", "twin"])
def test_requests_that_leave_are_counted_too(
    world: World,
    alice: WorldDevice,
    bob: WorldDevice,
    monkeypatch: pytest.MonkeyPatch,
    bound: int,
) -> None:
    """Each batch is one; what is left over is asked for when the hour is over."""
    monkeypatch.setattr(repair, "REPAIR_BATCH_MAX", 1)
    monkeypatch.setattr(repair, "REPAIR_REQUESTS_PER_HOUR_MAX", bound)
    said = kinds_sent(bob, monkeypatch)
    with messages_damaged(world, bob):
        for text in ("one", "two", "three", "four", "five"):
            alice.send("bob", text)
        world.pass_time(A_MOMENT_MS)
    assert [type(kind) for _, kind in said].count(RepairRequest) == min(bound, 5)
    world.pass_time(3 * HOUR_MS)
    assert sorted(recovered_texts(bob)) == ["five", "four", "one", "three", "two"]


def test_a_replayed_request_is_answered_once(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """The relay brings Bob's request ten times."""
    with messages_damaged(world, bob), mail_lost(world, alice) as requests_seen:
        alice.send("bob", "one")
        world.pass_time(A_MOMENT_MS)
    [request] = requests_seen
    for _ in range(10):
        push(alice, request)
    assert told(alice, "message-sent-again") == [{"device": 0, "count": 1}]
    assert recovered_texts(bob) == ["one"]


def test_the_rows_of_one_account_are_bounded(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is beyond is given up at once, and told."""
    monkeypatch.setattr(repair, "REPAIRS_PER_ACCOUNT_MAX", 3)
    with messages_damaged(world, bob), mail_lost(world, alice):
        for number in range(5):
            alice.send("bob", f"{number}")
    assert repairs_open(bob) == 3
    assert reasons(bob) == ["too-many-to-repair"] * 2


def test_all_strangers_together_are_bounded(
    world: World, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many names don't help; and friends have their own room."""
    monkeypatch.setattr(repair, "REPAIRS_OF_STRANGERS_MAX", 2)
    with messages_damaged(world, bob):
        for name in ("carol", "dave", "erin"):
            world.register(name).send("bob", "garbage")
        assert reasons(bob) == ["too-many-to-repair"]
        world.devices[0].send("bob", "one")
    world.pass_time(A_MOMENT_MS)
    assert recovered_texts(bob) == ["one"]


def test_what_is_kept_is_bounded_by_number_size_and_age(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest go first; the newest can still be sent again."""
    kept = "SELECT count(*) FROM sent"
    monkeypatch.setattr(sent, "KEPT_SENT_MAX", 3)
    for number in range(6):
        alice.send("bob", f"{number}")
    assert query(alice, kept) == [(3,)]
    [(size,)] = query(alice, "SELECT max(length(content)) FROM sent")
    monkeypatch.setattr(sent, "KEPT_SENT_BYTES_MAX", 2 * size)  # type: ignore[operator]
    alice.connect()
    assert query(alice, kept) == [(2,)]
    with messages_damaged(world, bob):
        alice.send("bob", "one")
    world.pass_time(A_MOMENT_MS)
    assert recovered_texts(bob) == ["one"]
    world.pass_time(KEPT_SENT_MS + 1)
    alice.connect()
    world.pass_time(A_MOMENT_MS)
    [(oldest,)] = query(alice, "SELECT coalesce(min(sent_at), 0) FROM sent")
    assert oldest == 0 or oldest > world.now - DAY_MS  # type: ignore[operator]


# --- Copies ------------------------------------------------------------------------------------


def test_a_device_that_needs_it_twice_a_day_may_be_two(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Once it is explained; a copy and the true device would soon start anew in turns."""
    lose_sessions(bob, alice)
    alice.send("bob", "two")
    world.pass_time(A_MOMENT_MS)
    assert "possible-copy" not in alice.notices()
    assert len(told(alice, "message-sent-again")) == 1
    lose_sessions(bob, alice)
    alice.send("bob", "three")
    world.pass_time(A_MOMENT_MS)
    assert "possible-copy" in alice.notices()
    assert bob.texts()[-2:] == ["two", "three"]


def test_twin_that_excuses_every_start_warns_of_none(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: whoever asks for something looks harmless for ever."""
    monkeypatch.setattr(peers, "repair_start", lambda *_: -DAY_MS)
    for text in ("two", "three"):
        lose_sessions(bob, alice)
        alice.send("bob", text)
        world.pass_time(A_MOMENT_MS)
    assert "possible-copy" not in alice.notices()


def test_a_request_for_what_is_not_the_asker_s_excuses_nothing(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """A copy that knows no id can't begin in silence."""
    lose_sessions(bob, alice)
    world.pass_time(DAY_MS)
    with bob.database.transaction():
        outgoing.send_direct(
            context_of(bob),
            alice.own.account_id,
            alice.own.device,
            RepairRequest((MessageId(bytes(16)),)),
        )
    bob.connect()
    world.pass_time(A_MOMENT_MS)
    assert alice.notices() == ["possible-copy"]
