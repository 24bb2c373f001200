"""All sessions with one remote device: which seals, which may open (spec 04, "Session book").

A book is a tuple of sessions in order of precedence. The first is *active*: it alone seals. The
others are archived: they still open what is on its way.

Two devices may start sessions at the same moment, lose their state, or be copied, and messages
may be lost or overtake each other; still both must end with the same active session. So every
start has a number, like a prekey's serial: above all that its maker knows, and at least the
second of its making. The highest number wins; between equal ones, which only crossing starts
have, the bytewise smaller base key. Since both devices sort by the same two values, they agree
as soon as they hold the same sessions, whatever happened on the way; and no message on an
archived session, such as a copy of an old state could send, draws new messages to itself.

All functions are pure: sessions in, sessions to store out.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, Protocol

from untether.base.errors import RemoteError
from untether.base.identifiers import SECOND_MS, UnixMillis
from untether.base.limits import (
    ARCHIVED_SESSIONS_MAX,
    CLOCK_AHEAD_MAX_MS,
    CROSSING_START_MS,
    TRIAL_STEPS_MAX,
    UNANSWERED_SESSION_MS,
)
from untether.base.randomness import Randomness
from untether.crypto.provider import AEAD_NONCE_LENGTH
from untether.protocol.pairwise import handshake as handshakes
from untether.protocol.pairwise import ratchet
from untether.protocol.pairwise.errors import (
    BadMessageError,
    PrekeyGoneError,
    TooFarAheadError,
    UnknownSessionError,
)
from untether.protocol.pairwise.handshake import Handshake
from untether.protocol.pairwise.parties import Ends
from untether.protocol.pairwise.prekeys import PeerPrekeys, PrekeyPairSecret
from untether.protocol.pairwise.ratchet import Context, SkippedRun
from untether.protocol.pairwise.ratchet_state import Keys, Message
from untether.protocol.pairwise.session import Session

Sessions = tuple[Session, ...]
"""The sessions with one remote device in order of precedence: the active one first."""


class KeyShelf(Protocol):
    """What opening may look up in the device's store; it changes nothing there."""

    def rotating_prekey(self, prekey_id: bytes) -> PrekeyPairSecret | None:
        """Return the rotating pair, current or retired, if it still exists."""
        ...

    def one_time_prekey(self, prekey_id: bytes) -> PrekeyPairSecret | None:
        """Return the one-time pair if it was not used yet."""
        ...

    def base_key_used(self, rotating_id: bytes, base_key: bytes) -> bool:
        """Tell whether a session was started with this rotating pair alone and base key."""
        ...

    def skipped_key(self, session_id: bytes, ratchet_key: bytes, number: int) -> bytes | None:
        """Return the skipped message key; empty when it was deleted unused."""
        ...


class Arrival(NamedTuple):
    """The circumstances of a message: whose it is, what may be looked up, and when.

    ``cause_known`` says that the caller sees why the peer may start anew: a new generation of
    the peer's account. A repair is seen only in what was opened.
    """

    ends: Ends
    shelf: KeyShelf
    now: UnixMillis
    randomness: Randomness
    cause_known: bool = False


class Opened(Keys, frozen=True):
    """A message opened, and everything to store in the same transaction.

    ``sessions`` replaces the book; ``dropped`` names sessions that fell out of it, with all
    their skipped keys. ``started`` is the handshake of a new session: its one-time pair is to
    be deleted or, when it has none, its base key remembered as long as the rotating pair lives.
    ``possible_copy``: the peer started anew without a cause that is visible here.
    ``answer_wanted``: seal something soon, so that the ratchet turns.
    """

    payload: bytes
    sessions: Sessions
    session_id: bytes
    skipped_added: tuple[SkippedRun, ...] = ()
    skipped_used: tuple[bytes, int] | None = None
    forgotten: tuple[bytes, ...] = ()
    dropped: tuple[bytes, ...] = ()
    started: Handshake | None = None
    possible_copy: bool = False
    answer_wanted: bool = False


def can_seal(sessions: Sessions, now: UnixMillis) -> bool:
    """Tell whether the active session may seal; otherwise prekeys must be claimed first."""
    return bool(sessions) and not sessions[0].is_given_up(now)


def start(
    sessions: Sessions,
    ends: Ends,
    prekeys: PeerPrekeys,
    now: UnixMillis,
    randomness: Randomness,
) -> tuple[Sessions, tuple[bytes, ...]]:
    """Start a new active session with verified prekeys: the book, and the sessions dropped."""
    number = max(sessions[0].number + 1 if sessions else 0, now // SECOND_MS)
    state, prefix = handshakes.initiate(ends, prekeys, number, randomness)
    session = Session.build(
        handshakes.session_id(prefix),
        state,
        base_key=Handshake.from_bytes(prefix).base_key,
        number=number,
        created_at=now,
        prefix=prefix,
    )
    return _admit(sessions, session)


def seal(
    sessions: Sessions, payload: bytes, ends: Ends, randomness: Randomness
) -> tuple[Sessions, bytes]:
    """Seal one payload on the active session: the book to store first, and the message."""
    active = sessions[0]
    nonce = randomness(AEAD_NONCE_LENGTH)
    sending, message = ratchet.seal_next(active.sending, payload, ends.outgoing, nonce)
    if active.is_unanswered:
        message = active.prefix + message
    return (active.with_sending(sending), *sessions[1:]), message


def open_message(sessions: Sessions, data: bytes, arrival: Arrival) -> Opened:
    """Open what a remote device sealed; nothing is to be changed unless this returns.

    Raises one of the errors of :mod:`untether.protocol.pairwise.errors`.
    """
    if sessions and (opened := _open_next(sessions, data, arrival)):
        return opened
    if data.startswith(handshakes.VERSION):
        return _open_start(sessions, data, arrival)
    message = Message.from_bytes(data)
    for index, session in enumerate(sessions):
        if session.knows(message.ratchet_key):
            return _open_in(sessions, index, message, arrival)
    if not sessions:
        raise UnknownSessionError
    return _open_by_trial(sessions, message, arrival)


def _open_next(sessions: Sessions, data: bytes, arrival: Arrival) -> Opened | None:
    """Open the next message of the active session's chain without looking at anything else."""
    active = sessions[0]
    result = ratchet.open_next(active.receiving, data, arrival.ends.incoming)
    if result is None:
        return None
    payload, receiving = result
    active = active.with_receiving(receiving)
    return Opened(
        payload,
        (active, *sessions[1:]),
        active.id,
        answer_wanted=active.wants_turn(arrival.now),
    )


def _open_start(sessions: Sessions, data: bytes, arrival: Arrival) -> Opened:
    """Open a message with a prefix: in the session that it started before, or in a new one."""
    prefix = data[: handshakes.PREFIX_LENGTH]
    handshake = Handshake.from_bytes(prefix)
    message = Message.from_bytes(data[handshakes.PREFIX_LENGTH :])
    session_id = handshakes.session_id(prefix)
    for index, session in enumerate(sessions):
        if session.id == session_id:
            return _open_in(sessions, index, message, arrival)
    if handshake.number * SECOND_MS > arrival.now + CLOCK_AHEAD_MAX_MS:
        raise BadMessageError("its start lies in the future")
    rotating, one_time = _take_prekeys(handshake, arrival.shelf)
    root = handshakes.respond(arrival.ends, rotating, one_time, handshake)
    opening = ratchet.open_first(root, message, _context(session_id, arrival))
    session = Session.build(
        session_id,
        opening.state,
        base_key=handshake.base_key,
        number=handshake.number,
        created_at=arrival.now,
    )
    book, dropped = _admit(sessions, session)
    return Opened(
        opening.payload,
        book,
        session_id,
        skipped_added=opening.skipped_added,
        dropped=dropped,
        started=handshake,
        possible_copy=not arrival.cause_known and _is_unexplained(sessions, handshake, arrival.now),
        answer_wanted=True,
    )


def _take_prekeys(
    handshake: Handshake, shelf: KeyShelf
) -> tuple[PrekeyPairSecret, PrekeyPairSecret | None]:
    """Look up the pairs that a handshake names; a repeated last resort is refused."""
    rotating = shelf.rotating_prekey(handshake.rotating_id)
    if rotating is None:
        raise PrekeyGoneError
    if handshake.one_time_id is None:
        if shelf.base_key_used(handshake.rotating_id, handshake.base_key):
            raise UnknownSessionError
        return rotating, None
    one_time = shelf.one_time_prekey(handshake.one_time_id)
    if one_time is None:
        raise PrekeyGoneError
    return rotating, one_time


def _is_unexplained(sessions: Sessions, new: Handshake, now: UnixMillis) -> bool:
    """Tell whether the peer had no reason to start anew that can be seen from here.

    Reasons are a crossing start of our own, and that the peer has given up the active session
    because nothing came back. It can't have if we never sealed anything there; what we sealed may
    still be on its way to a peer that was away itself, so that the numbers of both starts tell.

    The first message of a start that lost against ours may come late: its maker has answered on
    ours since, so ours is a recent one with a number that is as high.
    """
    if not sessions:
        return False
    active = sessions[0]
    patience = UNANSWERED_SESSION_MS // SECOND_MS
    given_up = active.is_unturned and new.number >= active.number + patience
    lost = new.number <= active.number and active.began_here(since=now - CROSSING_START_MS)
    return not (active.is_unanswered or active.is_untouched or given_up or lost)


def _open_by_trial(sessions: Sessions, message: Message, arrival: Arrival) -> Opened:
    """Open a message under a ratchet key never seen: any session may be the one that turns."""
    steps_left = TRIAL_STEPS_MAX
    failure: RemoteError | None = None
    for index in range(len(sessions)):
        if message.number >= steps_left:
            raise TooFarAheadError(message.number)
        try:
            return _open_in(sessions, index, message, arrival, steps_left)
        except (BadMessageError, TooFarAheadError) as error:
            failure = error
        steps_left -= message.number + 1
    raise failure or BadMessageError()


def _open_in(
    sessions: Sessions,
    index: int,
    message: Message,
    arrival: Arrival,
    steps_max: int = TRIAL_STEPS_MAX,
) -> Opened:
    """Open in one session of the book; its place stays."""
    session = sessions[index]
    context = _context(session.id, arrival, steps_max)
    opening = ratchet.open_message(session.state, message, context)
    following = session.with_state(opening.state)
    book = (*sessions[:index], following, *sessions[index + 1 :])
    return Opened(
        opening.payload,
        book,
        session.id,
        skipped_added=opening.skipped_added,
        skipped_used=opening.skipped_used,
        forgotten=opening.forgotten,
        answer_wanted=book[0].wants_turn(arrival.now),
    )


def _context(session_id: bytes, arrival: Arrival, steps_max: int = TRIAL_STEPS_MAX) -> Context:
    find_skipped = partial(arrival.shelf.skipped_key, session_id)
    return Context(arrival.ends.incoming, find_skipped, steps_max, arrival.now, arrival.randomness)


def _admit(sessions: Sessions, new: Session) -> tuple[Sessions, tuple[bytes, ...]]:
    """Sort a session in; names those that have no room any more."""
    book = sorted((new, *sessions), key=lambda session: session.precedence)
    kept = 1 + ARCHIVED_SESSIONS_MAX
    return tuple(book[:kept]), tuple(session.id for session in book[kept:])
