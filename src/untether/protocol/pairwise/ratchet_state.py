"""The parts of a ratchet's state, and of a message, as bytes (spec 04, "State", "Message").

All are immutable and of fixed size but for the few closed chains in the root.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from untether.base.identifiers import UnixMillis
from untether.base.limits import RECEIVER_CHAINS_MAX
from untether.crypto.provider import AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH, X25519_LENGTH
from untether.protocol.pairwise.errors import BadMessageError
from untether.wire.codec import Record

VERSION: Final = b"\x01"
HEADER_LENGTH: Final = len(VERSION) + X25519_LENGTH + 4 + 4
_CIPHERTEXT_AT: Final = HEADER_LENGTH + AEAD_NONCE_LENGTH

_sending = Struct(">32sII32s")
_receiving = Struct(">c32sQI32s")
_root = Struct(">32s32s")
_closed = Struct(">32sI")
_header = Struct(">c32sII")

SENDING_CHAIN_LENGTH: Final = _sending.size
ROOT_LENGTH: Final = _root.size
CLOSED_CHAIN_LENGTH: Final = _closed.size


class Keys(Record, frozen=True):
    """Base of values that hold secret keys: they don't print them. Never encoded as records."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class SendingChain(Keys, frozen=True):
    """What sealing changes: 72 bytes. ``number`` is that of the next message."""

    ratchet_key: bytes
    previous_length: int
    number: int
    chain_key: bytes

    def to_bytes(self) -> bytes:
        """Ratchet key ‖ previous length ‖ number ‖ chain key."""
        return _sending.pack(self.ratchet_key, self.previous_length, self.number, self.chain_key)

    @classmethod
    def from_bytes(cls, data: bytes) -> SendingChain:
        """Read what :meth:`to_bytes` wrote."""
        return cls(*_sending.unpack(data))


class ReceivingChain(Keys, frozen=True):
    """What opening changes: 77 bytes. ``number`` is that of the next message expected.

    The stored form begins as the header of each of its messages does.
    """

    ratchet_key: bytes
    started_at: UnixMillis
    number: int
    chain_key: bytes

    def to_bytes(self) -> bytes:
        """Version ‖ ratchet key ‖ start of this chain (ms) ‖ number ‖ chain key."""
        return _receiving.pack(
            VERSION, self.ratchet_key, self.started_at, self.number, self.chain_key
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> ReceivingChain:
        """Read what :meth:`to_bytes` wrote."""
        _, ratchet_key, started_at, number, chain_key = _receiving.unpack(data)
        return cls(ratchet_key, started_at, number, chain_key)


class Root(Keys, frozen=True):
    """What changes only when the ratchet turns.

    ``closed`` are the receiving chains that ended, newest first, as they are stored: a ratchet
    key ‖ how many messages it had, each (:func:`close_chain`, :func:`closed_length`).
    """

    root_key: bytes
    ratchet_seed: bytes
    closed: bytes = b""

    def to_bytes(self) -> bytes:
        """Root key ‖ ratchet seed ‖ closed chains."""
        return _root.pack(self.root_key, self.ratchet_seed) + self.closed

    @classmethod
    def from_bytes(cls, data: bytes) -> Root:
        """Read what :meth:`to_bytes` wrote."""
        root_key, ratchet_seed = _root.unpack_from(data)
        return cls(root_key, ratchet_seed, data[ROOT_LENGTH:])


def close_chain(closed: bytes, ratchet_key: bytes, length: int) -> tuple[bytes, tuple[bytes, ...]]:
    """Put a chain that ended before the others: what is kept, and the ratchet keys of the rest."""
    closed = _closed.pack(ratchet_key, length) + closed
    kept = (RECEIVER_CHAINS_MAX - 1) * CLOSED_CHAIN_LENGTH
    return closed[:kept], tuple(key for key, _ in _closed.iter_unpack(closed[kept:]))


def closed_length(closed: bytes, ratchet_key: bytes) -> int | None:
    """Return how many messages a closed chain had; None when it is not among these."""
    at = closed.find(ratchet_key)
    while at >= 0 and at % CLOSED_CHAIN_LENGTH:  # found across two chains
        at = closed.find(ratchet_key, at + 1)
    if at < 0:
        return None
    _, length = _closed.unpack_from(closed, at)
    return int(length)


class RatchetState(Keys, frozen=True):
    """A session's keys. The initiator has nothing to receive on until the first answer."""

    sending: SendingChain
    receiving: ReceivingChain | None
    root: Root


class Message(NamedTuple):
    """The parts of a plain message; ``header`` are its first 41 bytes as received."""

    header: bytes
    ratchet_key: bytes
    previous_length: int
    number: int
    nonce: bytes
    ciphertext: bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> Message:
        """Take a message apart; raises BadMessageError when it has another form."""
        if len(data) < _CIPHERTEXT_AT + AEAD_TAG_LENGTH:
            raise BadMessageError("it is cut short")
        version, ratchet_key, previous_length, number = _header.unpack_from(data)
        if version != VERSION:
            raise BadMessageError("its version is unknown here")
        return cls(
            data[:HEADER_LENGTH],
            ratchet_key,
            previous_length,
            number,
            data[HEADER_LENGTH:_CIPHERTEXT_AT],
            data[_CIPHERTEXT_AT:],
        )
