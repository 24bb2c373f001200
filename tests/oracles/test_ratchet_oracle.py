"""The ratchet beside a second implementation, step by step (spec 04, "Double Ratchet").

Both get the same root key and the same draws. A random schedule seals in both directions,
delivers in any order, repeats, loses, forges and reflects. After each step every key that one
side keeps is equal to the other's, each message is the same to the byte, and what one refuses
the other refuses, too.

``UNTETHER_SCHEDULES`` sets the number of schedules.
"""

from __future__ import annotations

import os
from random import Random

import pytest
from tests.oracles.ratchet_by_syndace import Chance, OtherEnd

from untether.base.errors import RemoteError
from untether.base.identifiers import UnixMillis
from untether.base.limits import TRIAL_STEPS_MAX
from untether.crypto import hashes
from untether.crypto.provider import provider
from untether.protocol.pairwise import ratchet
from untether.protocol.pairwise.ratchet import Context, Opening
from untether.protocol.pairwise.ratchet_state import (
    Message,
    RatchetState,
    ReceivingChain,
    Root,
    SendingChain,
)

SCHEDULES = int(os.environ.get("UNTETHER_SCHEDULES", "504"))
CHUNKS = 12
STEPS = 40
NOW = UnixMillis(1_790_000_000_000)


class OwnEnd:
    """One end of the product, which keeps nothing but stored bytes between two steps."""

    def __init__(self, root: Root, outgoing: bytes, incoming: bytes, random: Random) -> None:
        self._first_root = root
        self._outgoing = outgoing
        self._incoming = incoming
        self._random = random
        self._stored: tuple[bytes, bytes, bytes] | None = None
        self.skipped: dict[tuple[bytes, int], bytes] = {}
        self.drawn: list[bytes] = []
        self.forgotten: tuple[bytes, ...] = ()

    def start(self, peer_prekey: bytes) -> None:
        """Become the initiator."""
        self.store(ratchet.start_sending(self._first_root.root_key, peer_prekey, self.draw))

    def draw(self, length: int) -> bytes:
        """Draw, and note it for the other implementation."""
        self.drawn.append(self._random.randbytes(length))
        return self.drawn[-1]

    @property
    def state(self) -> RatchetState | None:
        """The ratchet keys, read from what is stored; None before the first message came."""
        if self._stored is None:
            return None
        sending, receiving, root = self._stored
        return RatchetState(
            SendingChain.from_bytes(sending),
            ReceivingChain.from_bytes(receiving) if receiving else None,
            Root.from_bytes(root),
        )

    def store(self, state: RatchetState) -> None:
        """Keep a state as bytes."""
        receiving = state.receiving.to_bytes() if state.receiving else b""
        self._stored = (state.sending.to_bytes(), receiving, state.root.to_bytes())

    def seal(self, payload: bytes) -> bytes:
        """Seal and store."""
        assert self._stored is not None
        sending, *rest = self._stored
        sending, message = ratchet.seal_next(sending, payload, self._outgoing, self.draw(12))
        self._stored = (sending, rest[0], rest[1])
        return message

    def open(self, data: bytes) -> bytes | None:
        """Return the payload and store, or None for what is refused."""
        self.forgotten = ()
        try:
            if self._stored is not None and (
                opened := ratchet.open_next(self._stored[1], data, self._incoming)
            ):
                payload, receiving = opened
                self._stored = (self._stored[0], receiving, self._stored[2])
                return payload
            opening = self._open(Message.from_bytes(data))
        except RemoteError:
            return None
        self.store(opening.state)
        for run in opening.skipped_added:
            self.skipped |= {(run.ratchet_key, n): key for n, key in enumerate(run.keys, run.first)}
        if opening.skipped_used is not None:
            del self.skipped[opening.skipped_used]
        self.forgotten = opening.forgotten
        self.skipped = {
            place: key for place, key in self.skipped.items() if place[0] not in self.forgotten
        }
        return opening.payload

    def _open(self, message: Message) -> Opening:
        context = Context(self._incoming, self._find, TRIAL_STEPS_MAX, NOW, self.draw)
        if self.state is None:
            return ratchet.open_first(self._first_root, message, context)
        return ratchet.open_message(self.state, message, context)

    def _find(self, ratchet_key: bytes, number: int) -> bytes | None:
        return self.skipped.get((ratchet_key, number))


class BothEnds:
    """One end in both implementations, which must never differ."""

    def __init__(self, own: OwnEnd, other: OtherEnd) -> None:
        self.own = own
        self.other = other

    @property
    def may_seal(self) -> bool:
        """The responder must have opened something first."""
        return self.own.state is not None

    def seal(self, payload: bytes) -> bytes:
        """Seal in both; every byte agrees."""
        message = self.own.seal(payload)
        self._hand_over()
        assert self.other.seal(payload) == message
        self.compare()
        return message

    def open(self, data: bytes) -> bytes | None:
        """Open in both: the same payload, or two refusals that change nothing."""
        before = (self.own.state, dict(self.own.skipped))
        payload = self.own.open(data)
        self._hand_over()
        assert self.other.open(data) == payload
        for ratchet_key in self.own.forgotten:
            self.other.forget(ratchet_key)
        if payload is None:
            assert before == (self.own.state, self.own.skipped)
        self.compare()
        return payload

    def compare(self) -> None:
        """Every key that is kept here is kept there."""
        state, model = self.own.state, self.other.model
        if state is None or model is None:
            assert model is None
            return
        turn, chains = (
            model.diffie_hellman_ratchet,
            model.diffie_hellman_ratchet.symmetric_key_ratchet,
        )
        assert state.root.root_key == turn.root_chain.key
        assert state.root.ratchet_seed == turn.own_ratchet_priv
        assert chains.sending_chain is not None
        assert state.sending.chain_key == chains.sending_chain.key
        assert state.sending.number == chains.sending_chain.length
        assert state.sending.previous_length == (chains.previous_sending_chain_length or 0)
        if state.receiving is None:
            assert chains.receiving_chain is None
        else:
            assert chains.receiving_chain is not None
            assert state.receiving.ratchet_key == turn.other_ratchet_pub
            assert state.receiving.chain_key == chains.receiving_chain.key
            assert state.receiving.number == chains.receiving_chain.length
        kept = {(one.ratchet_pub, one.index): one.message_key for one in model.skipped_message_keys}
        assert self.own.skipped == kept

    def _hand_over(self) -> None:
        Chance.drawn.clear()
        Chance.drawn.extend(self.own.drawn)
        self.own.drawn.clear()


def meet(random: Random) -> tuple[BothEnds, BothEnds]:
    """Let two ends share a root key, as after a handshake."""
    root_key, seed = random.randbytes(32), random.randbytes(32)
    prekey = provider().x25519_public(seed)
    there, back = b"from alice to bob", b"from bob to alice"
    alice = BothEnds(
        OwnEnd(Root(root_key, b""), there, back, random),
        OtherEnd(root_key, prekey, there, back, first=True),
    )
    bob = BothEnds(
        OwnEnd(Root(root_key, seed), back, there, random),
        OtherEnd(root_key, seed, back, there, first=False),
    )
    alice.own.start(prekey)
    return alice, bob


class Schedule:
    """A random conversation over a random network."""

    def __init__(self, seed: int) -> None:
        self.random = Random(f"ratchet oracle {seed}")
        self.ends = meet(self.random)
        self.ends[0].seal(b"")  # the other implementation starts by sealing
        self.under_way: list[tuple[BothEnds, bytes, bytes]] = []
        self.opened: set[bytes] = set()
        self.refused = 0

    def play(self) -> None:
        """Take some steps, then deliver what is left."""
        steps = (self.write, self.write, self.deliver, self.deliver, self.deliver_next)
        rare = (self.deliver_next, self.lose, self.forge, self.reflect)
        for _ in range(STEPS):
            self.random.choice(steps + rare)()
        self.random.shuffle(self.under_way)
        for place in range(len(self.under_way)):
            self._deliver(place)

    def write(self) -> None:
        """Seal one message, at times a burst of them."""
        direction = self.random.randrange(2)
        sender, receiver = self.ends[direction], self.ends[1 - direction]
        if not sender.may_seal:
            return
        for _ in range(self.random.choice((1, 1, 1, 2, 5, 30))):
            payload = self.random.randbytes(self.random.randrange(1, 100))
            self.under_way.append((receiver, sender.seal(payload), payload))

    def deliver(self) -> None:
        """Deliver any message; it stays under way, so that it may come again."""
        if self.under_way:
            self._deliver(self.random.randrange(len(self.under_way)))

    def deliver_next(self) -> None:
        """Deliver the oldest message that did not come yet, as a quiet network does."""
        waiting = [n for n, one in enumerate(self.under_way) if one[1] not in self.opened]
        if waiting:
            self._deliver(waiting[0])

    def lose(self) -> None:
        """Lose a message for good."""
        if self.under_way:
            del self.under_way[self.random.randrange(len(self.under_way))]

    def forge(self) -> None:
        """Turn one bit of a message."""
        if self.under_way:
            receiver, message, _ = self.random.choice(self.under_way)
            changed = bytearray(message)
            place = self.random.choice(
                (self.random.randrange(41), self.random.randrange(len(message)))
            )
            changed[place] ^= 1 << self.random.randrange(8)
            assert receiver.open(bytes(changed)) is None
            self.refused += 1

    def reflect(self) -> None:
        """Hand a message back to its sender."""
        if self.under_way:
            receiver, message, _ = self.random.choice(self.under_way)
            sender = self.ends[1] if receiver is self.ends[0] else self.ends[0]
            assert sender.open(message) is None
            self.refused += 1

    def _deliver(self, place: int) -> None:
        receiver, message, payload = self.under_way[place]
        result = receiver.open(message)
        if result is None:
            self.refused += 1
            return
        assert message not in self.opened
        assert result == payload
        self.opened.add(message)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_both_ratchets_agree_step_for_step(chunk: int) -> None:
    """Random order, loss, repetition, forgery, in both directions: no byte differs."""
    opened = refused = 0
    seeds = range(chunk, SCHEDULES, CHUNKS)
    for seed in seeds:
        schedule = Schedule(seed)
        schedule.play()
        opened += len(schedule.opened)
        refused += schedule.refused
    assert opened >= len(seeds)
    assert refused >= len(seeds)


@pytest.mark.parametrize("jump", [1_999, 2_000, 2_001])
def test_both_ratchets_agree_on_the_longest_jump(jump: int) -> None:
    """As many messages may be missing as the page says, and not one more."""
    alice, bob = meet(Random(jump))
    for _ in range(jump):
        alice.own.seal(b"lost")
    last = alice.own.seal(b"came")
    bob._hand_over()
    assert bob.open(last) == (b"came" if jump <= 2_000 else None)
    assert len(bob.own.skipped) == (jump if jump <= 2_000 else 0)


def test_the_oracle_would_see_another_chain_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twin: a product that swaps chain key and message key still talks to itself, and is caught."""
    step = hashes.keyed_blake2b_512
    monkeypatch.setattr(
        hashes, "keyed_blake2b_512", lambda key, data: step(key, data)[32:] + step(key, data)[:32]
    )
    alice, bob = meet(Random(1))
    message = alice.own.seal(b"hello")
    assert bob.own.open(message) == b"hello"
    with pytest.raises(AssertionError):
        Schedule(1).play()
