"""One session with one remote device, in the form in which it is stored (spec 04, "State").

A session *is* its four columns. They change at different times, so that a store writes little:
``sending`` with each message sealed, ``receiving`` with each one opened, ``cold`` only when the
ratchet turns, ``id`` never. The frequent operations work on these bytes directly; the others
take them apart with :attr:`Session.state`.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from untether.base.identifiers import UnixMillis
from untether.base.limits import RATCHET_TURN_WANTED_MS, UNANSWERED_SESSION_MS
from untether.protocol.pairwise.handshake import PREFIX_LENGTH
from untether.protocol.pairwise.ratchet_state import (
    ROOT_LENGTH,
    Keys,
    RatchetState,
    ReceivingChain,
    Root,
    SendingChain,
    closed_length,
)

_cold = Struct(">32sQQB")
_BY_PEER: Final = 0
_UNANSWERED: Final = 1  # started here; the prefix follows
_ANSWERED: Final = 2  # started here
_UNANSWERED_COLD_LENGTH: Final = _cold.size + PREFIX_LENGTH
_LENGTH_AND_NUMBER: Final = slice(32, 40)
_NUMBER: Final = slice(36, 40)
_RATCHET_KEY: Final = slice(1, 33)
_STARTED_AT: Final = slice(33, 41)
_ZERO: Final = bytes(4)


class Session(Keys, frozen=True):
    """The columns of one session; ``receiving`` is empty while nothing came."""

    id: bytes
    sending: bytes
    receiving: bytes
    cold: bytes

    @classmethod
    def build(
        cls,
        session_id: bytes,
        state: RatchetState,
        *,
        base_key: bytes,
        number: int,
        created_at: UnixMillis,
        prefix: bytes = b"",
    ) -> Session:
        """Put a new session together; ``prefix`` is kept until the peer has answered."""
        start = _UNANSWERED if prefix else _BY_PEER
        cold = _cold.pack(base_key, number, created_at, start) + prefix
        return cls(session_id, b"", b"", cold).with_state(state)

    def with_state(self, state: RatchetState) -> Session:
        """Return the session with other ratchet keys; an answer ends the need for the prefix."""
        receiving = b"" if state.receiving is None else state.receiving.to_bytes()
        *fields, start = _cold.unpack_from(self.cold)
        prefix = b"" if receiving else self.prefix
        if start == _UNANSWERED and receiving:
            start = _ANSWERED
        cold = _cold.pack(*fields, start) + prefix + state.root.to_bytes()
        return Session(self.id, state.sending.to_bytes(), receiving, cold)

    def with_sending(self, sending: bytes) -> Session:
        """Return the session after it sealed."""
        return Session(self.id, sending, self.receiving, self.cold)

    def with_receiving(self, receiving: bytes) -> Session:
        """Return the session after it opened the next message of its chain."""
        return Session(self.id, self.sending, receiving, self.cold)

    @property
    def state(self) -> RatchetState:
        """The ratchet keys."""
        return RatchetState(
            SendingChain.from_bytes(self.sending),
            ReceivingChain.from_bytes(self.receiving) if self.receiving else None,
            Root.from_bytes(self.cold[self._root_at :]),
        )

    @property
    def number(self) -> int:
        """The number that the initiator gave to this start."""
        _, number, _, _ = _cold.unpack_from(self.cold)
        return int(number)

    @property
    def created_at(self) -> UnixMillis:
        """When the session began, by the clock of this side."""
        _, _, created_at, _ = _cold.unpack_from(self.cold)
        return UnixMillis(created_at)

    @property
    def precedence(self) -> tuple[int, bytes]:
        """Sorts sessions: higher numbers first; of equal ones, the smaller base key."""
        return -self.number, self.cold[:32]

    @property
    def prefix(self) -> bytes:
        """What precedes each message until the peer has answered; empty afterwards."""
        return self.cold[_cold.size : self._root_at]

    @property
    def _root_at(self) -> int:
        _, _, _, start = _cold.unpack_from(self.cold)
        return _UNANSWERED_COLD_LENGTH if start == _UNANSWERED else _cold.size

    def began_here(self, since: int) -> bool:
        """Started by this side, at a time or later."""
        _, _, created_at, start = _cold.unpack_from(self.cold)
        return bool(start != _BY_PEER and created_at >= since)

    @property
    def is_unanswered(self) -> bool:
        """Started here, and nothing came back yet."""
        return not self.receiving

    @property
    def is_untouched(self) -> bool:
        """Nothing was ever sealed in it here."""
        return not any(self.sending[_LENGTH_AND_NUMBER])

    @property
    def is_unturned(self) -> bool:
        """The peer has used one ratchet key: nothing shows that it got anything from here."""
        return not self.cold[self._root_at + ROOT_LENGTH :]

    def is_given_up(self, now: UnixMillis) -> bool:
        """Unanswered for so long that a new start promises more than waiting."""
        return self.is_unanswered and now - self.created_at >= UNANSWERED_SESSION_MS

    def wants_turn(self, now: UnixMillis) -> bool:
        """Only a message of ours can turn the ratchet, and none went for long."""
        if self.sending[_NUMBER] != _ZERO or not self.receiving:
            return False
        started_at = int.from_bytes(self.receiving[_STARTED_AT], "big")
        return now - started_at >= RATCHET_TURN_WANTED_MS

    def knows(self, ratchet_key: bytes) -> bool:
        """Tell whether the peer's ratchet key is one of this session's chains."""
        if self.receiving[_RATCHET_KEY] == ratchet_key:
            return True
        return closed_length(self.cold[self._root_at + ROOT_LENGTH :], ratchet_key) is not None
