"""Parsers and opens of pairwise messages and of bodies (spec 04, 05)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy

from tests.unit.pairwise.pairwise_people import Endpoint, introduce

from fuzz import script
from fuzz.harness import Case, expect
from fuzz.script import Script
from fuzz.shortcuts import same_encapsulations
from untether.base.errors import UntetherError
from untether.base.identifiers import UnixMillis
from untether.crypto import hashes, labels
from untether.crypto.provider import provider
from untether.protocol import body
from untether.protocol.pairwise import ratchet
from untether.protocol.pairwise.handshake import PREFIX_LENGTH, Handshake
from untether.protocol.pairwise.ratchet_state import Message, RatchetState

NONCE = bytes(12)
CRAFTED = b"from whoever has the keys"
LATER_MS = 60_000


class Correspondence:
    """Alice writes to Bob, whose book has seen a lot; every kind of message is under way.

    ``sent`` is what may open, by its payload; ``messages`` are in a fixed order.
    """

    def __init__(self) -> None:
        self.alice, self.bob = Endpoint("alice"), Endpoint("bob", 3)
        self.sent: dict[bytes, bytes] = {}
        with same_encapsulations():
            self._talk()
        self.messages = list(self.sent)
        self.states = [session.state for session in self.alice.book]
        self.ends = self.alice.ends(self.bob)

    def _talk(self) -> None:
        alice, bob = self.alice, self.bob
        bob.start(alice, one_time=False)
        self._write("never answered start", alice, times=0)
        introduce(alice, bob)
        early = [alice.seal(bob, b"skipped %d" % number) for number in range(4)]
        bob.open(alice, early[3])
        alice.open(bob, bob.seal(alice, b"turn"))
        opened = alice.seal(bob, b"opened before")
        bob.open(alice, opened)
        archived = copy(alice)
        late = alice.seal(bob, b"late in the archived session")
        self._later()
        alice.start(bob)
        bob.open(alice, alice.seal(bob, b"a second session"))
        alice.open(bob, bob.seal(alice, b"its answer"))
        bob.open(alice, alice.seal(bob, b"turned"))
        self._write("next", alice, times=3)
        for number, data in enumerate(early[:3]):
            self.sent[data] = b"skipped %d" % number
        self.sent[late] = b"late in the archived session"
        self.sent[opened] = b""
        self._write("archived", archived, times=1)
        self._start_others()

    def _start_others(self) -> None:
        """Let starts be under way that Bob has not seen: each from the same Alice."""
        for one_time in (True, False):
            self._later()
            other = copy(self.alice)
            other.start(self.bob, one_time=one_time)
            self._write(f"start {one_time}", other, times=2)

    def _later(self) -> None:
        for device in (self.alice, self.bob):
            device.now = UnixMillis(device.now + LATER_MS)

    def _write(self, text: str, sender: Endpoint, times: int) -> None:
        for number in range(times):
            payload = f"{text} {number}".encode()
            self.sent[sender.seal(self.bob, payload)] = payload

    def message(self, steps: Script) -> bytes:
        """Read which message comes: a changed genuine one, or a crafted one."""
        if steps.byte() % 2:
            return self.crafted(steps)
        return script.message(steps, self.messages)

    def crafted(self, steps: Script) -> bytes:
        """Seal with Alice's true keys under a header as the script wants it."""
        state = self.states[steps.byte() % len(self.states)]
        number, previous, turned = steps.number(), steps.number(), steps.byte() % 3
        chain_key, ratchet_key = state.sending.chain_key, state.sending.ratchet_key
        number = number % 4_100
        ahead = number - state.sending.number
        if turned:
            ratchet_key, chain_key = self._turned(state, steps)
            ahead = number
        elif ahead < 0:
            number, ahead = state.sending.number, 0
        previous = previous if turned == 1 else state.sending.previous_length
        header = b"\x01" + ratchet_key + previous.to_bytes(4, "big") + number.to_bytes(4, "big")
        chain_key, _ = ratchet._step(chain_key, ahead)
        key = hashes.keyed_blake2b_512(chain_key, labels.RATCHET_CHAIN)[32:]
        sealed = provider().aead_seal(key, NONCE, CRAFTED, self.ends.outgoing + header)
        return header + NONCE + sealed

    def _turned(self, state: RatchetState, steps: Script) -> tuple[bytes, bytes]:
        """Return (ratchet key, chain key) of a turn that Alice could make now."""
        assert state.receiving is not None
        seed = bytes([steps.byte()]) * 32
        _, chain_key = ratchet._mix_root(state.root.root_key, seed, state.receiving.ratchet_key)
        return provider().x25519_public(seed), chain_key


@contextmanager
def openings() -> Iterator[Case]:
    """A device opens a message: what opens was sent, and a refusal changes no byte."""
    talk = Correspondence()
    bob = talk.bob
    kept = (bob.book, bob.one_time, bob.base_keys, bob.skipped)
    before = bob.snapshot()

    def put_back() -> None:
        bob.book = kept[0]
        bob.one_time, bob.base_keys = dict(kept[1]), set(kept[2])
        bob.skipped = dict(kept[3])

    def read(message: bytes) -> object:
        try:
            opened = bob.open(talk.alice, message)
        except UntetherError:
            expect(bob.snapshot() == before, "a refusal changed the book")
            raise
        payload = talk.sent.get(message, CRAFTED)
        put_back()
        expect(opened.payload == payload, "something opened that nobody sent")
        return opened

    bob.randomness = _draw  # type: ignore[assignment]
    put_back()
    plain = [b"\0" + script.plain(n, script.BYTES) for n in range(len(talk.messages))]
    crafted = [
        bytes([1, session, 0, n, 0, n, turn])
        for session in (0, 1)
        for n in (0, 4)
        for turn in range(3)
    ]
    yield Case(lambda data: talk.message(Script(data)), read, plain + crafted)


def _draw(length: int) -> bytes:
    return b"\x42" * length


@contextmanager
def parses() -> Iterator[Case]:
    """A device takes a message apart; each has one spelling."""
    genuine: Sequence[bytes] = Correspondence().messages

    def read(message: bytes) -> object:
        if message.startswith(b"\x02"):
            handshake = Handshake.from_bytes(message[:PREFIX_LENGTH])
            expect(handshake.to_bytes() == message[:PREFIX_LENGTH], "a prefix has two spellings")
            message = message[PREFIX_LENGTH:]
        parts = Message.from_bytes(message)
        expect(parts.header + parts.nonce + parts.ciphertext == message, "bytes were lost")
        return parts

    yield Case(script.messages(genuine), read, script.seeds(genuine), script.variant)


@contextmanager
def bodies() -> Iterator[Case]:
    """A device opens a body, as the relay gives it or as a hostile sender made it."""
    texts = (b"", b"hello", b"a longer text, with room" * 40)
    sealed = [body.seal_body(text, _draw) for text in texts]
    genuine = [one.sealed for one in sealed] + [text + b"\x80" + bytes(9) for text in texts]
    key = sealed[0].body_key

    def build(data: bytes) -> tuple[int, bytes]:
        steps = Script(data)
        kind = steps.byte() % 3
        blob = script.message(steps, genuine)
        if kind == 2:
            ciphertext = provider().aead_seal(key, NONCE, blob, body.FORMAT)
            blob = body.FORMAT + body._commitment(key, NONCE) + NONCE + ciphertext
        return kind, blob

    def read(built: tuple[int, bytes]) -> object:
        kind, blob = built
        named = sealed[0].body_hash if kind == 0 else body.hash_body(blob)
        opened = body.open_body(blob, body_key=key, body_hash=named)
        expect(kind > 0 or opened == texts[0], "a body opened that nobody sealed")
        return opened

    found = [script.plain(number, script.BYTES) for number in range(len(genuine))]
    yield Case(build, read, [bytes([kind]) + one for kind in range(3) for one in found])
