"""The Double Ratchet (spec 04, "Double Ratchet").

Theory of operation
-------------------
Each direction has a *chain*: a key that is hashed forward once per message and yields one
message key each time. Whenever the other side answers under a new ratchet key, both sides mix
a fresh Diffie-Hellman secret into the *root key* and start new chains: the ratchet turns.

The state comes in three parts, because they change at different times and storage costs more
than cryptography: the :class:`SendingChain` changes with every message sent, the
:class:`ReceivingChain` with every message received, and the :class:`Root` only when the
ratchet turns. All are immutable; opening gives new parts, and a failed opening gives nothing.

Keys of skipped messages are not part of the state. Opening asks for one by ``(ratchet key,
number)`` and reports the ones to add and the one used up, so that the store keeps them in
rows with an age.

Nothing is kept before it is proven genuine: a message under a new ratchet key is opened first,
and only then are the missing keys of the chain that it closes derived.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Final, NamedTuple

from untether.base.identifiers import UnixMillis
from untether.base.limits import CHAIN_JUMP_MAX
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes
from untether.crypto import hashes, labels
from untether.crypto.provider import AEAD_NONCE_LENGTH, X25519_LENGTH, CryptoError, provider
from untether.protocol.pairwise.errors import (
    BadMessageError,
    DuplicateMessageError,
    MessageKeyExpiredError,
    TooFarAheadError,
)
from untether.protocol.pairwise.ratchet_state import (
    HEADER_LENGTH,
    VERSION,
    Keys,
    Message,
    RatchetState,
    ReceivingChain,
    Root,
    SendingChain,
    close_chain,
    closed_length,
)

_KEY_LENGTH: Final = 32

# Where things are in a message ...
_CHAIN: Final = slice(0, 33)  # version and ratchet key, as in a stored receiving chain
_MESSAGE_NUMBER: Final = slice(37, HEADER_LENGTH)
_NONCE: Final = slice(HEADER_LENGTH, HEADER_LENGTH + AEAD_NONCE_LENGTH)
_CIPHERTEXT: Final = slice(HEADER_LENGTH + AEAD_NONCE_LENGTH, None)
# ... and in the two stored chains: what stays, the number, the chain key
_sending = Struct(f">36sI{_KEY_LENGTH}s")
_receiving = Struct(f">41sI{_KEY_LENGTH}s")
_HEADER: Final = slice(0, 40)
_NUMBER: Final = slice(41, 45)

FindSkipped = Callable[[bytes, int], bytes | None]
"""Port: the message key skipped at (ratchet key, number); empty when it was deleted unused."""


class Context(NamedTuple):
    """What opening needs besides state and message.

    ``associated`` names both ends (:attr:`Ends.incoming`); at most ``steps_max`` chain steps are
    spent before the message is proven genuine.
    """

    associated: bytes
    find_skipped: FindSkipped
    steps_max: int
    now: UnixMillis
    randomness: Randomness


class SkippedRun(Keys, frozen=True):
    """Keys of consecutive messages of one chain that have not come yet."""

    ratchet_key: bytes
    first: int
    keys: tuple[bytes, ...]


class Opening(Keys, frozen=True):
    """A message opened: its payload, the state to store and what became of skipped keys.

    ``forgotten`` are ratchet keys too old to be opened: their skipped keys go.
    """

    payload: bytes
    state: RatchetState
    skipped_added: tuple[SkippedRun, ...] = ()
    skipped_used: tuple[bytes, int] | None = None
    forgotten: tuple[bytes, ...] = ()


def start_sending(root_key: bytes, peer_ratchet_key: bytes, randomness: Randomness) -> RatchetState:
    """Make the initiator's state after the handshake: a first turn against the peer's prekey."""
    sending, root = _turn_sending(root_key, peer_ratchet_key, 0, randomness)
    return RatchetState(sending, None, root)


def seal_next(
    sending: bytes, payload: bytes, associated: bytes, nonce: bytes
) -> tuple[bytes, bytes]:
    """Seal one payload: the sending chain to store *before* the message leaves, and the message.

    ``associated`` names both ends. The nonce is random although the key is used once: a device
    restored from a copy would use the key again.
    """
    fixed, number, key = _sending.unpack(sending)
    header = VERSION + sending[_HEADER]
    stepped = hashes.keyed_blake2b_512(key, labels.RATCHET_CHAIN)
    ciphertext = provider().aead_seal(stepped[_KEY_LENGTH:], nonce, payload, associated + header)
    following = _sending.pack(fixed, number + 1, stepped[:_KEY_LENGTH])
    return following, header + nonce + ciphertext


def open_next(receiving: bytes, data: bytes, associated: bytes) -> tuple[bytes, bytes] | None:
    """Open ``data`` if it is the very next message of a receiving chain, which most are.

    Works on the chain's stored bytes: returns the payload and the bytes to store, or None for
    :func:`open_message` to judge. Raises BadMessageError when no key fits.
    """
    if data[_CHAIN] != receiving[_CHAIN] or data[_MESSAGE_NUMBER] != receiving[_NUMBER]:
        return None
    if not receiving:
        return None
    fixed, number, key = _receiving.unpack(receiving)
    stepped = hashes.keyed_blake2b_512(key, labels.RATCHET_CHAIN)
    try:
        payload = provider().aead_open(
            stepped[_KEY_LENGTH:],
            data[_NONCE],
            data[_CIPHERTEXT],
            associated + data[:HEADER_LENGTH],
        )
    except CryptoError as error:
        raise BadMessageError from error
    return payload, _receiving.pack(fixed, number + 1, stepped[:_KEY_LENGTH])


def open_message(state: RatchetState, message: Message, context: Context) -> Opening:
    """Open a message of this session; the state stays as it is unless this returns.

    Raises DuplicateMessageError, MessageKeyExpiredError, TooFarAheadError or BadMessageError.
    """
    receiving = state.receiving
    if receiving is None or message.ratchet_key != receiving.ratchet_key:
        return _open_elsewhere(state, message, context)
    if message.number < receiving.number:
        return _open_skipped(state, message, context)
    payload, chain_key, skipped = _open_in_chain(
        receiving.chain_key, receiving.number, message, context
    )
    following = ReceivingChain(
        receiving.ratchet_key, receiving.started_at, message.number + 1, chain_key
    )
    return Opening(payload, RatchetState(state.sending, following, state.root), skipped)


def open_first(root: Root, message: Message, context: Context) -> Opening:
    """Open the first message of a session that the peer started, as :func:`open_message`.

    ``root`` holds the root key of the handshake and the seed of the prekey it used.
    """
    payload, root_key, following, skipped = _open_new_chain(root, message, context)
    sending, root = _turn_sending(root_key, message.ratchet_key, 0, context.randomness)
    return Opening(payload, RatchetState(sending, following, root), skipped)


def _open_elsewhere(state: RatchetState, message: Message, context: Context) -> Opening:
    """Open a message that is not of the current receiving chain: of a closed or a new one."""
    length = closed_length(state.root.closed, message.ratchet_key)
    if length is None:
        return _open_turning(state, message, context)
    if message.number >= length:
        raise BadMessageError("its chain ended before it")
    return _open_skipped(state, message, context)


def _open_skipped(state: RatchetState, message: Message, context: Context) -> Opening:
    key = context.find_skipped(message.ratchet_key, message.number)
    if key is None:
        raise DuplicateMessageError
    if not key:
        raise MessageKeyExpiredError
    payload = _decrypt(key, message, context)
    return Opening(payload, state, skipped_used=(message.ratchet_key, message.number))


def _open_turning(state: RatchetState, message: Message, context: Context) -> Opening:
    """Open a message under a new ratchet key, then close the old chain and turn our own side."""
    ending = state.receiving
    missing = message.previous_length - ending.number if ending else 0
    if missing < 0:
        raise BadMessageError("it denies messages that were opened")
    if missing > CHAIN_JUMP_MAX:
        raise TooFarAheadError(missing)
    payload, root_key, following, skipped = _open_new_chain(state.root, message, context)
    closed = state.root.closed
    forgotten: tuple[bytes, ...] = ()
    if ending is not None:
        closed, forgotten = close_chain(closed, ending.ratchet_key, message.previous_length)
        if missing:
            _, keys = _step(ending.chain_key, missing)
            skipped = (SkippedRun(ending.ratchet_key, ending.number, keys), *skipped)
    sending, root = _turn_sending(
        root_key, message.ratchet_key, state.sending.number, context.randomness
    )
    turned = RatchetState(sending, following, Root(root.root_key, root.ratchet_seed, closed))
    return Opening(payload, turned, skipped, forgotten=forgotten)


def _open_new_chain(
    root: Root, message: Message, context: Context
) -> tuple[bytes, bytes, ReceivingChain, tuple[SkippedRun, ...]]:
    """Open a message on the chain that its ratchet key starts."""
    root_key, chain_key = _mix_root(root.root_key, root.ratchet_seed, message.ratchet_key)
    payload, chain_key, skipped = _open_in_chain(chain_key, 0, message, context)
    following = ReceivingChain(message.ratchet_key, context.now, message.number + 1, chain_key)
    return payload, root_key, following, skipped


def _open_in_chain(
    chain_key: bytes, number: int, message: Message, context: Context
) -> tuple[bytes, bytes, tuple[SkippedRun, ...]]:
    """Walk a chain from ``number`` to the message: payload, next chain key, keys skipped."""
    missing = message.number - number
    if missing > CHAIN_JUMP_MAX or missing >= context.steps_max:
        raise TooFarAheadError(missing)
    skipped: tuple[SkippedRun, ...] = ()
    if missing:
        chain_key, keys = _step(chain_key, missing)
        skipped = (SkippedRun(message.ratchet_key, number, keys),)
    stepped = hashes.keyed_blake2b_512(chain_key, labels.RATCHET_CHAIN)
    payload = _decrypt(stepped[_KEY_LENGTH:], message, context)
    return payload, stepped[:_KEY_LENGTH], skipped


def _step(chain_key: bytes, count: int) -> tuple[bytes, tuple[bytes, ...]]:
    """Take ``count`` steps: the chain key after them and their message keys."""
    keys = []
    for _ in range(count):
        stepped = hashes.keyed_blake2b_512(chain_key, labels.RATCHET_CHAIN)
        chain_key = stepped[:_KEY_LENGTH]
        keys.append(stepped[_KEY_LENGTH:])
    return chain_key, tuple(keys)


def _decrypt(message_key: bytes, message: Message, context: Context) -> bytes:
    try:
        return provider().aead_open(
            message_key, message.nonce, message.ciphertext, context.associated + message.header
        )
    except CryptoError as error:
        raise BadMessageError from error


def _turn_sending(
    root_key: bytes, peer_ratchet_key: bytes, sent: int, randomness: Randomness
) -> tuple[SendingChain, Root]:
    """Draw a new ratchet key and start the sending chain under it; ``sent`` went before."""
    seed = SecretBytes.generate(X25519_LENGTH, randomness)
    root_key, chain_key = _mix_root(root_key, seed, peer_ratchet_key)
    sending = SendingChain(provider().x25519_public(seed), sent, 0, chain_key)
    return sending, Root(root_key, seed)


def _mix_root(root_key: bytes, seed: bytes, peer_ratchet_key: bytes) -> tuple[bytes, bytes]:
    """Mix a Diffie-Hellman secret into the root: the next root key, and a chain key."""
    try:
        shared = provider().x25519_shared(seed, peer_ratchet_key)
    except CryptoError as error:
        raise BadMessageError("its ratchet key is no good key") from error
    derived = hashes.hkdf_sha256(
        salt=root_key, ikm=shared, info=labels.RATCHET_ROOT, length=2 * _KEY_LENGTH
    )
    return derived[:_KEY_LENGTH], derived[_KEY_LENGTH:]
