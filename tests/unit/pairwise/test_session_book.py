"""Two devices end with one active session, and copies are noticed (spec 04, "Session book")."""

from collections.abc import Callable

import pytest
from tests.unit.pairwise.pairwise_people import START, Endpoint, introduce

from untether.base.identifiers import DAY_MS, SECOND_MS, UnixMillis
from untether.base.limits import (
    ARCHIVED_SESSIONS_MAX,
    CHAIN_JUMP_MAX,
    CLOCK_AHEAD_MAX_MS,
    CROSSING_START_MS,
    TRIAL_STEPS_MAX,
    UNANSWERED_SESSION_MS,
)
from untether.crypto import hashes
from untether.protocol.pairwise import prekeys, ratchet, session_book
from untether.protocol.pairwise.errors import (
    BadMessageError,
    DuplicateMessageError,
    PrekeyGoneError,
    TooFarAheadError,
    UnknownSessionError,
)
from untether.protocol.pairwise.handshake import PREFIX_LENGTH
from untether.protocol.pairwise.session_book import can_seal


def active(device: Endpoint) -> bytes:
    """Name the session on which a device seals."""
    return device.book[0].id


def agree(alice: Endpoint, bob: Endpoint) -> None:
    """Both must seal on one session, and understand each other on it."""
    assert active(alice) == active(bob)
    assert bob.open(alice, alice.seal(bob, b"a")).session_id == active(bob)
    assert alice.open(bob, bob.seal(alice, b"b")).session_id == active(alice)


def cross(alice: Endpoint, bob: Endpoint) -> tuple[bytes, bytes]:
    """Let both start at the same moment; returns the messages under way."""
    alice.start(bob)
    bob.start(alice)
    return alice.seal(bob, b"from alice"), bob.seal(alice, b"from bob")


def test_the_prefix_ends_with_the_answer(alice: Endpoint, bob: Endpoint) -> None:
    """Every message of an unanswered session can start it; later ones are short."""
    alice.start(bob)
    first, second = alice.seal(bob, b"one"), alice.seal(bob, b"two")
    assert len(first) == len(second) > PREFIX_LENGTH
    assert bob.open(alice, second).payload == b"two"
    assert bob.open(alice, first).payload == b"one"
    assert len(bob.book) == 1
    alice.open(bob, bob.seal(alice, b"answer"))
    assert len(alice.seal(bob, b"one")) == len(first) - PREFIX_LENGTH
    agree(alice, bob)


def test_a_new_session_wants_one_answer(alice: Endpoint, bob: Endpoint) -> None:
    """So that every pair turns its ratchet; the answer itself wants none."""
    alice.start(bob)
    assert bob.open(alice, alice.seal(bob, b"hello")).answer_wanted
    assert not bob.open(alice, alice.seal(bob, b"again")).answer_wanted
    assert not alice.open(bob, bob.seal(alice, b"")).answer_wanted


def test_a_one_time_pair_starts_one_session(alice: Endpoint, bob: Endpoint) -> None:
    """Its replay, after Bob has lost the session, finds the pair gone."""
    alice.start(bob)
    message = alice.seal(bob, b"hello")
    bob.open(alice, message)
    with pytest.raises(DuplicateMessageError):
        bob.open(alice, message)
    bob.book = ()
    with pytest.raises(PrekeyGoneError):
        bob.open(alice, message)


def test_a_last_resort_start_is_not_repeated(alice: Endpoint, bob: Endpoint) -> None:
    """The base key is remembered: the relay can't make Bob open an old start again."""
    alice.start(bob, one_time=False)
    message = alice.seal(bob, b"hello")
    bob.open(alice, message)
    bob.book = ()
    with pytest.raises(UnknownSessionError):
        bob.open(alice, message)
    bob.base_keys.clear()
    assert bob.open(alice, message).payload == b"hello"


def test_a_replaced_rotating_pair_is_gone(alice: Endpoint, bob: Endpoint) -> None:
    """A start with it has a named cause."""
    alice.start(bob)
    bob.rotating = prekeys.generate_rotating(bob.rotating.serial, bob.now, bob.randomness)
    with pytest.raises(PrekeyGoneError):
        bob.open(alice, alice.seal(bob, b"late"))


def test_a_plain_message_without_any_session(alice: Endpoint, bob: Endpoint) -> None:
    """A device that lost its sessions says so."""
    introduce(alice, bob)
    bob.book = ()
    with pytest.raises(UnknownSessionError):
        bob.open(alice, alice.seal(bob, b"hello"))


@pytest.mark.parametrize("alice_first", [True, False])
def test_crossing_starts_end_on_the_smaller_base_key(
    alice: Endpoint, bob: Endpoint, alice_first: bool
) -> None:
    """Whoever reads first, both keep the same session, lose nothing and suspect nobody."""
    from_alice, from_bob = cross(alice, bob)
    first = min(alice.book[0], bob.book[0], key=lambda session: session.precedence)
    assert alice.book[0].number == bob.book[0].number
    steps: list[Callable[[], session_book.Opened]] = [
        lambda: bob.open(alice, from_alice),
        lambda: alice.open(bob, from_bob),
    ]
    for step in steps if alice_first else reversed(steps):
        opened = step()
        assert opened.answer_wanted
        assert not opened.possible_copy
    assert active(alice) == active(bob) == first.id
    assert len(alice.book) == len(bob.book) == 2
    agree(alice, bob)


def test_an_overtaken_start_still_converges(alice: Endpoint, bob: Endpoint) -> None:
    """Bob answers Alice's start before his own, older one reaches her: they still meet."""
    from_alice, from_bob = cross(alice, bob)
    bob.open(alice, from_alice)
    answer = bob.seal(alice, b"answer")
    alice.start(bob)
    bob.open(alice, alice.seal(bob, b"again"))
    alice.open(bob, answer)
    alice.open(bob, from_bob)
    agree(alice, bob)


def test_without_the_order_they_would_not_meet(
    alice: Endpoint, bob: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: if what comes last is active, each seals on another session from then on."""
    monkeypatch.setattr(session_book, "_admit", lambda sessions, new: ((new, *sessions), ()))
    with pytest.raises(AssertionError):
        test_an_overtaken_start_still_converges(alice, bob)


def test_a_device_that_lost_its_sessions_is_heard(alice: Endpoint, bob: Endpoint) -> None:
    """It no longer knows the last number; the time of its start is above it all the same."""
    for _ in range(3):
        introduce(alice, bob)
    assert bob.book[0].number == START // SECOND_MS + 2
    bob.book = ()
    alice.now = bob.now = UnixMillis(START + DAY_MS)
    bob.start(alice)
    alice.open(bob, bob.seal(alice, b"I lost everything"))
    agree(alice, bob)


def test_a_late_old_start_stays_behind(alice: Endpoint, bob: Endpoint) -> None:
    """A start that waited while a newer one was answered opens, and is archived."""
    alice.start(bob)
    late = alice.seal(bob, b"late")
    introduce(alice, bob)
    newest = active(bob)
    assert bob.open(alice, late).payload == b"late"
    assert active(bob) == newest
    agree(alice, bob)


def test_a_start_in_the_future_is_refused(alice: Endpoint, bob: Endpoint) -> None:
    """A thief can't take a number so high that the owner never gets above it."""
    alice.now = UnixMillis(START + CLOCK_AHEAD_MAX_MS)
    alice.start(bob)
    bob.open(alice, alice.seal(bob, b"a day ahead"))
    alice.now = UnixMillis(START + CLOCK_AHEAD_MAX_MS + 2 * SECOND_MS)
    alice.start(bob)
    before = bob.snapshot()
    with pytest.raises(BadMessageError, match="future"):
        bob.open(alice, alice.seal(bob, b"later still"))
    assert bob.snapshot() == before


def test_without_that_refusal_the_owner_would_be_locked_out(
    alice: Endpoint, bob: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: a start of the year 3000 stays active, whatever the owner starts later."""
    monkeypatch.setattr(session_book, "CLOCK_AHEAD_MAX_MS", 10**15)
    alice.now = UnixMillis(32_500_000_000_000)
    alice.start(bob)
    bob.open(alice, alice.seal(bob, b"from the thief"))
    stolen = active(bob)
    alice.book, alice.now = (), UnixMillis(START + 400 * DAY_MS)
    alice.start(bob)
    bob.open(alice, alice.seal(bob, b"from the owner"))
    assert active(bob) == stolen


def test_a_session_that_opens_again_is_not_promoted(alice: Endpoint, bob: Endpoint) -> None:
    """A copy of an old state can't draw new messages to itself by writing on an old session."""
    introduce(alice, bob)
    old = alice.book
    alice.start(bob)
    bob.open(alice, alice.seal(bob, b"new"))
    newest = active(bob)
    alice.book = old
    opened = bob.open(alice, alice.seal(bob, b"from the copy"))
    assert opened.session_id != newest == active(bob)


def test_a_restart_without_cause_may_be_a_copy(alice: Endpoint, bob: Endpoint) -> None:
    """Bob answered, so Alice had no reason to start anew: the flag goes up, the message opens."""
    introduce(alice, bob)
    alice.book, alice.now = (), UnixMillis(START + SECOND_MS)
    alice.start(bob)
    opened = bob.open(alice, alice.seal(bob, b"it's me, really"))
    assert opened.possible_copy
    assert opened.payload == b"it's me, really"
    assert active(bob) == active(alice)


def test_a_restart_with_a_cause_is_no_copy(alice: Endpoint, bob: Endpoint) -> None:
    """A repair or a new generation explains it; so does that Bob never answered at all."""
    introduce(alice, bob)
    alice.start(bob)
    bob.cause_known = True
    assert not bob.open(alice, alice.seal(bob, b"repaired")).possible_copy
    bob.cause_known = False
    alice.start(bob)
    assert not bob.open(alice, alice.seal(bob, b"you never answered")).possible_copy


@pytest.mark.parametrize(
    ("later_ms", "flagged"), [(CROSSING_START_MS, False), (CROSSING_START_MS + 1, True)]
)
def test_the_first_message_of_a_start_that_lost_may_come_late(
    alice: Endpoint, bob: Endpoint, later_ms: int, flagged: bool
) -> None:
    """A busy relay kept it back; what Alice answered on Bob's start has overtaken it."""
    alice.start(bob)
    kept_back = alice.seal(bob, b"this waits")
    bob.now = UnixMillis(START + SECOND_MS)
    bob.start(alice)
    alice.open(bob, bob.seal(alice, b"this does not"))
    bob.open(alice, alice.seal(bob, b"nor does this"))
    bob.now = UnixMillis(bob.now + later_ms)
    opened = bob.open(alice, kept_back)
    assert opened.payload == b"this waits"
    assert opened.possible_copy == flagged
    assert active(bob) == active(alice) != opened.session_id


def test_a_low_number_excuses_nobody_on_a_session_of_the_peer(
    alice: Endpoint, bob: Endpoint
) -> None:
    """A copy that numbers its start below Alice's own did not cross a start of Bob's."""
    introduce(alice, bob)
    alice.book, alice.now = (), UnixMillis(START - SECOND_MS)
    alice.start(bob)
    assert bob.open(alice, alice.seal(bob, b"it's me, really")).possible_copy


@pytest.mark.parametrize(
    ("days", "turned", "flagged"), [(30, False, False), (29, False, True), (30, True, True)]
)
def test_a_session_given_up_on_both_sides_of_a_month_is_no_copy(
    alice: Endpoint, bob: Endpoint, days: int, turned: bool, flagged: bool
) -> None:
    """Bob was away too, and writes before he reads that Alice has stopped waiting for him."""
    alice.start(bob)
    bob.open(alice, alice.seal(bob, b"are you there?"))
    if turned:
        alice.open(bob, bob.seal(alice, b"yes"))
        bob.open(alice, alice.seal(bob, b"good"))
    alice.now = bob.now = UnixMillis(START + days * DAY_MS)
    alice.start(bob)
    again = alice.seal(bob, b"and now?")
    bob.seal(alice, b"I was away")
    assert bob.open(alice, again).possible_copy == flagged


def test_an_unanswered_session_is_given_up_after_30_days(alice: Endpoint, bob: Endpoint) -> None:
    """Then prekeys are claimed again; an answered one seals for ever."""
    assert not can_seal(alice.book, START)
    alice.start(bob)
    assert can_seal(alice.book, UnixMillis(START + UNANSWERED_SESSION_MS - 1))
    assert not can_seal(alice.book, UnixMillis(START + UNANSWERED_SESSION_MS))
    bob.open(alice, alice.seal(bob, b"hello"))
    alice.open(bob, bob.seal(alice, b"hello to you"))
    assert can_seal(alice.book, UnixMillis(START + 400 * DAY_MS))


def test_five_archived_sessions_open_and_the_sixth_is_dropped(
    alice: Endpoint, bob: Endpoint
) -> None:
    """Mail on the way survives five new starts; what falls out takes its skipped keys along."""
    under_way = []
    for index in range(ARCHIVED_SESSIONS_MAX + 2):
        alice.start(bob)
        lost, late = alice.seal(bob, b"lost"), alice.seal(bob, b"late %d" % index)
        bob.open(alice, alice.seal(bob, b"start"))
        under_way.append((late, lost))
    assert len(alice.book) == len(bob.book) == ARCHIVED_SESSIONS_MAX + 1
    assert len(bob.skipped) == 2 * len(bob.book)
    for index, (late, _) in enumerate(under_way[1:], 1):
        assert bob.open(alice, late).payload == b"late %d" % index
    with pytest.raises(PrekeyGoneError):
        bob.open(alice, under_way[0][0])


def steps_of_forgery(alice: Endpoint, bob: Endpoint, number: int, error: type[Exception]) -> int:
    """Bring Bob a message under a ratchet key never seen; return the chain steps that it cost."""
    genuine = alice.seal(bob, b"")
    lengths = (9).to_bytes(4, "big") + number.to_bytes(4, "big")
    forged = genuine[:1] + b"\x09" * 32 + lengths + genuine[41:]
    steps = 0
    step = hashes.keyed_blake2b_512

    def count(key: bytes, data: bytes) -> bytes:
        nonlocal steps
        steps += 1
        return step(key, data)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(error):
        patch.setattr(hashes, "keyed_blake2b_512", count)
        bob.open(alice, forged)
    return steps


def test_a_forgery_costs_a_bounded_number_of_steps(alice: Endpoint, bob: Endpoint) -> None:
    """Six sessions, the largest jump: the work stays below the bound, and nothing changes."""
    for _ in range(ARCHIVED_SESSIONS_MAX + 1):
        introduce(alice, bob)
    before = bob.snapshot()
    for number, error in ((1_990, TooFarAheadError), (700, TooFarAheadError), (5, BadMessageError)):
        assert 0 < steps_of_forgery(alice, bob, number, error) <= TRIAL_STEPS_MAX
    assert bob.snapshot() == before


def test_without_the_bound_a_forgery_would_cost_more(
    alice: Endpoint, bob: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: with the bound out of reach, six sessions take 12,000 steps for one forgery."""
    for _ in range(ARCHIVED_SESSIONS_MAX + 1):
        introduce(alice, bob)
    monkeypatch.setattr(session_book, "TRIAL_STEPS_MAX", 10**9)
    assert steps_of_forgery(alice, bob, 1_990, BadMessageError) > 11_000


def test_an_archived_session_may_turn(alice: Endpoint, bob: Endpoint) -> None:
    """A message under a new ratchet key is tried on every session."""
    introduce(alice, bob)
    alice.open(bob, bob.seal(alice, b"turn"))
    late = alice.seal(bob, b"on the old session")
    alice.start(bob)
    bob.open(alice, alice.seal(bob, b"new"))
    newest = active(bob)
    opened = bob.open(alice, late)
    assert opened.payload == b"on the old session"
    assert opened.session_id == bob.book[1].id
    assert active(bob) == newest


def test_a_long_closed_chain_of_another_session_is_no_obstacle(
    alice: Endpoint, bob: Endpoint
) -> None:
    """A number that would be too far ahead for the active session fits the archived one."""
    introduce(alice, bob)
    for _ in range(2):
        messages = [alice.seal(bob, b"") for _ in range(CHAIN_JUMP_MAX)]
        bob.open(alice, messages[-1])
    alice.open(bob, bob.seal(alice, b"turn"))
    late = alice.seal(bob, b"after 4,000 messages")
    alice.start(bob)
    bob.open(alice, alice.seal(bob, b"new"))
    assert bob.open(alice, late).payload == b"after 4,000 messages"


def test_an_empty_and_a_cut_message(alice: Endpoint, bob: Endpoint) -> None:
    """Bytes that are no message at all are refused with and without sessions."""
    for data in (b"", b"\x01", b"\x02", b"\x02" + bytes(PREFIX_LENGTH - 1)):
        with pytest.raises((BadMessageError, PrekeyGoneError)):
            bob.open(alice, data)
    introduce(alice, bob)
    alice.start(bob)
    for data in (b"", b"\x01", alice.seal(bob, b"")[:PREFIX_LENGTH]):
        with pytest.raises(BadMessageError):
            bob.open(alice, data)
        with pytest.raises(BadMessageError):
            alice.open(bob, data)


def test_the_hot_path_equals_the_general_one(
    alice: Endpoint, bob: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next message gives the same columns when the ratchet judges it step by step."""
    introduce(alice, bob)
    message = alice.seal(bob, b"either way")
    book = bob.book
    fast = bob.open(alice, message)
    monkeypatch.setattr(ratchet, "open_next", lambda *_: None)
    bob.book = book
    assert bob.open(alice, message) == fast
