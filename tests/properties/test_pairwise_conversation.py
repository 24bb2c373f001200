"""Two devices under any order, loss, repetition and crossing starts (spec 04).

Hypothesis plays the relay: it holds all messages under way, and delivers, loses, repeats and
forges them as it likes. Whatever it does: what opens is what was sent, nothing opens twice, a
refusal changes no byte, no message key and no nonce is used twice, and once everything is
delivered both devices seal on one session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.unit.pairwise.pairwise_people import Endpoint

from untether.base.errors import RemoteError
from untether.base.identifiers import UnixMillis
from untether.base.limits import ARCHIVED_SESSIONS_MAX, SKIPPED_KEYS_MAX
from untether.crypto.native import NativeProvider
from untether.protocol.pairwise import ratchet
from untether.protocol.pairwise.errors import DuplicateMessageError
from untether.protocol.pairwise.session_book import can_seal


class RecordingProvider(NativeProvider):
    """The real provider, which also notes every key and nonce that seals."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.nonces: list[bytes] = []

    def aead_seal(self, key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        """Note and seal."""
        self.keys.append(key)
        self.nonces.append(nonce)
        return super().aead_seal(key, nonce, plaintext, associated)


@dataclass
class UnderWay:
    """A message at the relay."""

    sender: Endpoint
    receiver: Endpoint
    message: bytes
    payload: bytes
    opened: bool = False


class Conversation(RuleBasedStateMachine):
    """Alice and Bob, and a relay that does its worst."""

    recorder: ClassVar[RecordingProvider]
    count = 0

    @initialize(crossing=st.booleans(), one_time=st.booleans())
    def begin(self, crossing: bool, one_time: bool) -> None:
        """Let one start, or both at the same moment."""
        self.recorder.keys.clear()
        self.recorder.nonces.clear()
        self.alice, self.bob = Endpoint("alice"), Endpoint("bob", 3)
        self.relay: list[UnderWay] = []
        self.alice.start(self.bob, one_time=one_time)
        if crossing:
            self.bob.start(self.alice, one_time=one_time)

    def pair(self, from_alice: bool) -> tuple[Endpoint, Endpoint]:
        """Sender and receiver."""
        return (self.alice, self.bob) if from_alice else (self.bob, self.alice)

    @rule(from_alice=st.booleans(), copies=st.integers(1, 4))
    def write(self, from_alice: bool, copies: int) -> None:
        """Seal some messages, starting a session where there is none."""
        sender, receiver = self.pair(from_alice)
        if not can_seal(sender.book, sender.now):
            sender.start(receiver)
        for _ in range(copies):
            self.count += 1
            payload = b"message %d" % self.count
            self.relay.append(UnderWay(sender, receiver, sender.seal(receiver, payload), payload))

    @rule(from_alice=st.booleans())
    def start_anew(self, from_alice: bool) -> None:
        """Start another session although there is one, as a repair does."""
        sender, receiver = self.pair(from_alice)
        sender.start(receiver)

    @rule(seconds=st.integers(1, 600), from_alice=st.booleans())
    def pass_time(self, seconds: int, from_alice: bool) -> None:
        """Let the clock of one device go on, so that the two also differ."""
        device, _ = self.pair(from_alice)
        device.now = UnixMillis(device.now + 1_000 * seconds)

    @precondition(lambda self: self.relay)
    @rule(choice=st.integers(0, 10**6))
    def deliver_any(self, choice: int) -> None:
        """Deliver some message, delivered before or not."""
        self.deliver(self.relay[choice % len(self.relay)])

    @precondition(lambda self: self.relay)
    @rule()
    def deliver_newest(self) -> None:
        """Deliver the newest message, so that conversations get somewhere."""
        self.deliver(self.relay[-1])

    def deliver(self, under_way: UnderWay) -> None:
        """Open what was sent, once; a refusal changes nothing."""
        receiver = under_way.receiver
        before = receiver.snapshot()
        try:
            opened = receiver.open(under_way.sender, under_way.message)
        except RemoteError as error:
            assert receiver.snapshot() == before
            if not under_way.opened:
                assert not isinstance(error, DuplicateMessageError)
        else:
            assert not under_way.opened, "opened twice"
            assert opened.payload == under_way.payload
            under_way.opened = True

    @precondition(lambda self: self.relay)
    @rule(choice=st.integers(0, 10**6), place=st.integers(0, 10**6), bit=st.integers(0, 7))
    def forge(self, choice: int, place: int, bit: int) -> None:
        """Deliver a message with one bit turned: it must be refused."""
        under_way = self.relay[choice % len(self.relay)]
        changed = bytearray(under_way.message)
        changed[place % len(changed)] ^= 1 << bit
        before = under_way.receiver.snapshot()
        with pytest.raises(RemoteError):
            under_way.receiver.open(under_way.sender, bytes(changed))
        assert under_way.receiver.snapshot() == before

    @precondition(lambda self: self.relay)
    @rule(choice=st.integers(0, 10**6))
    def misdeliver(self, choice: int) -> None:
        """Hand a message back to its sender: it must be refused."""
        under_way = self.relay[choice % len(self.relay)]
        before = under_way.sender.snapshot()
        with pytest.raises(RemoteError):
            under_way.sender.open(under_way.receiver, under_way.message)
        assert under_way.sender.snapshot() == before

    @precondition(lambda self: self.relay)
    @rule(choice=st.integers(0, 10**6))
    def lose(self, choice: int) -> None:
        """Lose a message for good."""
        del self.relay[choice % len(self.relay)]

    @invariant()
    def no_key_is_used_twice(self) -> None:
        """Every message key, and every nonce, sealed at most one message."""
        assert len(set(self.recorder.keys)) == len(self.recorder.keys)
        assert len(set(self.recorder.nonces)) == len(self.recorder.nonces)

    @invariant()
    def state_is_bounded(self) -> None:
        """Six sessions, and so many skipped keys each."""
        for device in (getattr(self, "alice", None), getattr(self, "bob", None)):
            if device is not None:
                assert len(device.book) <= 1 + ARCHIVED_SESSIONS_MAX
                assert len(device.skipped) <= SKIPPED_KEYS_MAX * len(device.book)

    def teardown(self) -> None:
        """Deliver the rest, let both talk: they must meet on one session.

        The very first message may be lost to a book that has dropped its session since, after
        so many starts of one side; a device then asks for it again (spec 10).
        """
        if not hasattr(self, "relay"):
            return
        for under_way in self.relay:
            self.deliver(under_way)
        for from_alice, must_open in ((True, False), (False, True), (True, True)):
            self.write(from_alice, 1)
            self.deliver(self.relay[-1])
            assert self.relay[-1].opened or not must_open
        assert self.alice.book[0].id == self.bob.book[0].id


def play(monkeypatch: pytest.MonkeyPatch, examples: int) -> None:
    """Let Hypothesis play the relay, with every sealing recorded."""
    Conversation.recorder = RecordingProvider()
    monkeypatch.setattr(ratchet, "provider", lambda: Conversation.recorder)
    run_state_machine_as_test(
        Conversation,
        settings=settings(max_examples=examples, stateful_step_count=30, deadline=None),
    )


def test_any_conversation_is_safe_and_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules above hold for all conversations that Hypothesis tries."""
    play(monkeypatch, 60)


def test_a_chain_that_stands_still_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twin: a device that does not store its sending chain uses a key twice, and is caught."""
    seal_next = ratchet.seal_next
    monkeypatch.setattr(
        ratchet, "seal_next", lambda sending, *rest: (sending, seal_next(sending, *rest)[1])
    )
    with pytest.raises((AssertionError, ExceptionGroup)):
        play(monkeypatch, 20)
