"""Our side of the core benchmark: devices, sessions and the fan-out, as the engine uses them."""

from __future__ import annotations

from os import urandom  # noqa: TID251 (what the native client passes)

from untether.adapters.storage.device_apsw import ApswDeviceDatabase
from untether.base.identifiers import DeviceNumber, UnixMillis
from untether.base.secret_bytes import SecretBytes
from untether.crypto.provider import AEAD_NONCE_LENGTH, provider
from untether.protocol.body import seal_body
from untether.protocol.pairwise import prekeys, ratchet, session_book
from untether.protocol.pairwise.fan_out import pack_chain, seal_for_devices
from untether.protocol.pairwise.parties import Ends, Party, sender_associated
from untether.protocol.pairwise.prekeys import PrekeyPairSecret
from untether.protocol.pairwise.session_book import Arrival, Sessions
from untether.wire.codec import encode
from untether.wire.content import BodyKey
from untether.wire.records import ListHead, PrekeyBundle

NOW = UnixMillis(1_790_000_000_000)
DEVICES_PER_CONTACT = 5
HEAD = ListHead(1, 1, bytes(32))


class Device:
    """A device with one rotating pair, one endless one-time pair, and a shelf of its own."""

    def __init__(self, number: int = 0) -> None:
        self.signing_seed = SecretBytes.generate(32, urandom)
        self.agreement_seed = SecretBytes.generate(32, urandom)
        self.party = Party(
            urandom(32),
            DeviceNumber(number),
            provider().ed25519_public(self.signing_seed),
            provider().x25519_public(self.agreement_seed),
        )
        self.rotating = prekeys.generate_rotating(0, NOW, urandom)
        self.one_time = prekeys.generate_one_time(NOW, urandom)
        self.bundle = PrekeyBundle(
            self.party.device,
            prekeys.sign(self.rotating, self.party, self.signing_seed),
            prekeys.sign(self.one_time, self.party, self.signing_seed),
        )

    def ends(self, peer: Device) -> Ends:
        """Return both ends as this device sees them."""
        return Ends.between(self.party, self.agreement_seed, peer.party)

    def arrival(self, peer: Device) -> Arrival:
        """Return the circumstances of a message from a peer."""
        return Arrival(self.ends(peer), self, NOW, urandom)

    def rotating_prekey(self, _prekey_id: bytes) -> PrekeyPairSecret | None:
        """Look up, as the shelf."""
        return self.rotating

    def one_time_prekey(self, _prekey_id: bytes) -> PrekeyPairSecret | None:
        """Look up, as the shelf."""
        return self.one_time

    def base_key_used(self, _rotating_id: bytes, _base_key: bytes) -> bool:
        """Look up, as the shelf."""
        return False

    def skipped_key(self, _session: bytes, _ratchet_key: bytes, _number: int) -> bytes | None:
        """Look up, as the shelf."""
        return None

    def start(self, peer: Device) -> Sessions:
        """Verify a bundle and start a session."""
        verified = prekeys.verify_bundle(peer.bundle, peer.party)
        return session_book.start((), self.ends(peer), verified, NOW, urandom)[0]


class Pair:
    """Two devices with a session that has turned in both directions."""

    def __init__(self) -> None:
        self.alice, self.bob = Device(), Device(1)
        self.to_bob, self.to_alice = self.alice.ends(self.bob), self.bob.ends(self.alice)
        self.at_alice, self.at_bob = self.alice.arrival(self.bob), self.bob.arrival(self.alice)
        self.alice_book = self.alice.start(self.bob)
        self.bob_book: Sessions = ()
        for _ in range(2):
            self.turn(b"hello")

    def turn(self, payload: bytes) -> None:
        """One message in each direction."""
        self.receive(self.send(payload))
        self.bob_book, message = session_book.seal(self.bob_book, payload, self.to_alice, urandom)
        opened = session_book.open_message(self.alice_book, message, self.at_alice)
        self.alice_book = opened.sessions

    def send(self, payload: bytes) -> bytes:
        """Alice seals; the book holds the bytes to store."""
        self.alice_book, message = session_book.seal(self.alice_book, payload, self.to_bob, urandom)
        return message

    def receive(self, message: bytes) -> bytes:
        """Bob opens; the book holds the bytes to store."""
        opened = session_book.open_message(self.bob_book, message, self.at_bob)
        self.bob_book = opened.sessions
        return opened.payload


class ChainPair(Pair):
    """The same on the stored chains of their one session, without the book, as Olm does."""

    def __init__(self) -> None:
        super().__init__()
        self.receive(self.send(b"first of its chain"))
        self.sending = self.alice_book[0].sending
        self.receiving = self.bob_book[0].receiving

    def send_next(self, payload: bytes) -> bytes:
        """Alice seals; the column is the bytes to store."""
        nonce = urandom(AEAD_NONCE_LENGTH)
        self.sending, message = ratchet.seal_next(
            self.sending, payload, self.to_bob.outgoing, nonce
        )
        return message

    def receive_next(self, message: bytes) -> bytes:
        """Bob opens the next message of the chain; the column is the bytes to store."""
        opened = ratchet.open_next(self.receiving, message, self.to_alice.incoming)
        if opened is None:
            raise AssertionError("not the next message of the chain")
        payload, self.receiving = opened
        return payload


class FanOut:
    """Alice's sessions with contacts of five devices each, one packed row for each contact."""

    def __init__(self, devices: int, database: ApswDeviceDatabase) -> None:
        self.alice, self.database = Device(), database
        pair = Pair()
        chain = pair.alice_book[0].sending
        contacts = devices // DEVICES_PER_CONTACT
        self.keys = [urandom(32) for _ in range(contacts)]
        packed = b"".join(
            pack_chain(DeviceNumber(number), chain) for number in range(DEVICES_PER_CONTACT)
        )
        database.script("CREATE TABLE chains (account BLOB PRIMARY KEY, packed BLOB) STRICT")
        database.many("INSERT INTO chains VALUES (?, ?)", [(key, packed) for key in self.keys])
        self.rows = dict.fromkeys(self.keys, packed)

    def seal(self, text: bytes, rows: dict[bytes, bytes]) -> list[bytes]:
        """Seal one message for every device; ``rows`` become the rows to store."""
        body = seal_body(text, urandom)
        payload = encode(
            BodyKey(body_key=bytes(body.body_key), body_hash=body.body_hash, assumed_head=HEAD)
        )
        messages = []
        sender = sender_associated(self.alice.party)
        for account_key, packed in rows.items():
            rows[account_key], sealed = seal_for_devices(
                packed, payload, sender + account_key, urandom
            )
            messages += sealed
        return [body.sealed, *messages]

    def write(self, text: bytes) -> None:
        """Read the rows, seal, and write them; the caller commits."""
        rows: dict[bytes, bytes] = dict(self.database.rows("SELECT account, packed FROM chains"))
        self.seal(text, rows)
        self.database.many(
            "UPDATE chains SET packed = ? WHERE account = ?",
            [(packed, account_key) for account_key, packed in rows.items()],
        )
