"""Devices of Alice and Bob with an in-memory store that follows the session book."""

from __future__ import annotations

from random import Random

from untether.base.identifiers import DeviceNumber, UnixMillis
from untether.base.limits import SKIPPED_KEYS_MAX
from untether.base.secret_bytes import SecretBytes
from untether.crypto.provider import provider
from untether.protocol.pairwise import prekeys, session_book
from untether.protocol.pairwise.parties import Ends, Party
from untether.protocol.pairwise.prekeys import PeerPrekeys, PrekeyPairSecret
from untether.protocol.pairwise.session_book import Arrival, Opened, Sessions
from untether.wire.records import PrekeyBundle

START = UnixMillis(1_790_000_000_000)


class Endpoint:
    """One device. Its store applies exactly what the book returns, in one step."""

    def __init__(self, name: str, device: int = 0) -> None:
        self.randomness = Random(f"{name}/{device}").randbytes
        signing_seed, agreement_seed = self.randomness(32), self.randomness(32)
        self.signing_seed = SecretBytes(signing_seed)
        self.agreement_seed = SecretBytes(agreement_seed)
        self.party = Party(
            account_key=provider().ed25519_public(Random(name).randbytes(32)),
            device=DeviceNumber(device),
            signing_key=provider().ed25519_public(signing_seed),
            agreement_key=provider().x25519_public(agreement_seed),
        )
        self.now = START
        self.book: Sessions = ()
        self.rotating = prekeys.generate_rotating(0, self.now, self.randomness)
        self.one_time: dict[bytes, PrekeyPairSecret] = {}
        self.base_keys: set[tuple[bytes, bytes]] = set()
        self.skipped: dict[tuple[bytes, bytes, int], bytes] = {}
        self.cause_known = False

    def ends(self, peer: Endpoint) -> Ends:
        """Return both ends as this device sees them."""
        return Ends.between(self.party, self.agreement_seed, peer.party)

    def bundle(self, *, one_time: bool = True) -> PrekeyBundle:
        """Deposit a one-time pair (unless told not to) and return what the relay hands out."""
        handed_out = None
        if one_time:
            pair = prekeys.generate_one_time(self.now, self.randomness)
            self.one_time[pair.id] = pair
            handed_out = prekeys.sign(pair, self.party, self.signing_seed)
        rotating = prekeys.sign(self.rotating, self.party, self.signing_seed)
        return PrekeyBundle(self.party.device, rotating, handed_out)

    def prekeys(self, *, one_time: bool = True) -> PeerPrekeys:
        """Return a bundle as its claimant verified it."""
        return prekeys.verify_bundle(self.bundle(one_time=one_time), self.party)

    def start(self, peer: Endpoint, *, one_time: bool = True) -> None:
        """Start a session with prekeys of the peer."""
        self.book, dropped = session_book.start(
            self.book,
            self.ends(peer),
            peer.prekeys(one_time=one_time),
            self.now,
            self.randomness,
        )
        self._forget_sessions(dropped)

    def seal(self, peer: Endpoint, payload: bytes) -> bytes:
        """Seal a payload on the active session."""
        self.book, message = session_book.seal(self.book, payload, self.ends(peer), self.randomness)
        return message

    def open(self, peer: Endpoint, message: bytes) -> Opened:
        """Open a message of the peer and store what follows; raises without any change."""
        arrival = Arrival(self.ends(peer), self, self.now, self.randomness, self.cause_known)
        opened = session_book.open_message(self.book, message, arrival)
        self.book = opened.sessions
        self._store_skipped(opened)
        self._forget_sessions(opened.dropped)
        if opened.started is not None and opened.started.one_time_id is not None:
            del self.one_time[opened.started.one_time_id]
        elif opened.started is not None:
            self.base_keys.add((opened.started.rotating_id, opened.started.base_key))
        return opened

    def snapshot(self) -> object:
        """Everything stored, as plain values."""
        return (
            [(one.id, one.sending, one.receiving, one.cold) for one in self.book],
            sorted(self.one_time),
            sorted(self.base_keys),
            sorted(self.skipped.items()),
        )

    def rotating_prekey(self, prekey_id: bytes) -> PrekeyPairSecret | None:
        """Look up, as the shelf."""
        return self.rotating if self.rotating.id == prekey_id else None

    def one_time_prekey(self, prekey_id: bytes) -> PrekeyPairSecret | None:
        """Look up, as the shelf."""
        return self.one_time.get(prekey_id)

    def base_key_used(self, rotating_id: bytes, base_key: bytes) -> bool:
        """Look up, as the shelf."""
        return (rotating_id, base_key) in self.base_keys

    def skipped_key(self, session_id: bytes, ratchet_key: bytes, number: int) -> bytes | None:
        """Look up, as the shelf."""
        return self.skipped.get((session_id, ratchet_key, number))

    def expire_skipped(self) -> None:
        """Let a week pass over all skipped keys."""
        self.skipped = dict.fromkeys(self.skipped, b"")

    def _store_skipped(self, opened: Opened) -> None:
        for run in opened.skipped_added:
            for number, key in enumerate(run.keys, run.first):
                self.skipped[opened.session_id, run.ratchet_key, number] = key
        if opened.skipped_used is not None:
            del self.skipped[opened.session_id, *opened.skipped_used]
        for place in list(self.skipped):
            if place[0] == opened.session_id and place[1] in opened.forgotten:
                del self.skipped[place]
        own = [place for place in self.skipped if place[0] == opened.session_id]
        for place in own[:-SKIPPED_KEYS_MAX]:
            self.skipped[place] = b""

    def _forget_sessions(self, dropped: tuple[bytes, ...]) -> None:
        for place in list(self.skipped):
            if place[0] in dropped:
                del self.skipped[place]


def introduce(alice: Endpoint, bob: Endpoint) -> None:
    """Let both have one session, turned once in each direction."""
    alice.start(bob)
    bob.open(alice, alice.seal(bob, b"hello"))
    alice.open(bob, bob.seal(alice, b"hello to you"))
    bob.open(alice, alice.seal(bob, b"fine"))
