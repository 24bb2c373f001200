"""Write handshake.json: signed prekeys, and handshakes with and without a one-time pair."""

from __future__ import annotations

from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from vectors.handshake_ciphertexts import CIPHERTEXTS
from vectors.identity_builder import account, blake, device, label, pack, sign, write
from vectors.pairwise_builder import START_MS, End, hkdf, stream, x25519, x25519_public

ALICE = End(account("alice"), 0, device("alice phone"))
BOB = End(account("bob"), 1027, device("bob laptop"))
NUMBER = START_MS // 1000


class Pair(NamedTuple):
    """A prekey pair of Bob's."""

    type: str
    id: bytes
    x25519_seed: bytes
    kem_seed: bytes
    serial: int

    @property
    def kem(self) -> MLKEM768PrivateKey:
        """The ML-KEM key."""
        return MLKEM768PrivateKey.from_seed_bytes(self.kem_seed)

    @property
    def kem_public(self) -> bytes:
        """The ML-KEM public key."""
        return self.kem.public_key().public_bytes_raw()

    @property
    def x25519_public(self) -> bytes:
        """The X25519 public key."""
        return x25519_public(self.x25519_seed)

    def described(self) -> dict[str, object]:
        """Describe with body and signature."""
        public = [self.type, self.id, self.x25519_public, self.kem_public, START_MS, self.serial]
        body = pack(public)
        return {
            "type": self.type,
            "id": self.id.hex(),
            "x25519_seed": self.x25519_seed.hex(),
            "kem_seed": self.kem_seed.hex(),
            "created_at": START_MS,
            "serial": self.serial,
            "body": body.hex(),
            "signature": sign(BOB.keys.signing_seed, "prekey", BOB.address, body).hex(),
        }


def pair(kind: str, serial: int) -> Pair:
    """Return a pair by its type."""
    return Pair(
        kind,
        stream(f"{kind} id", 8),
        stream(f"{kind} x25519", 32),
        stream(f"{kind} kem", 64),
        serial,
    )


ROTATING, ONE_TIME = pair("rotating", NUMBER), pair("one-time", 0)


def handshake(one_time: Pair | None) -> dict[str, object]:
    """Return one handshake from Alice to Bob."""
    ephemeral = stream(f"ephemeral {one_time is not None}", 32)
    base_key = x25519_public(ephemeral)
    chosen = one_time or ROTATING
    ciphertext = CIPHERTEXTS[chosen.type]
    kem_secret = chosen.kem.decapsulate(ciphertext)
    prefix = (
        b"\x02"
        + NUMBER.to_bytes(8, "big")
        + ROTATING.id
        + (b"\1" + one_time.id if one_time else bytes(9))
        + base_key
        + ciphertext
    )
    transcript = blake(
        32,
        label("handshake-transcript"),
        b"\x01",
        *(ALICE.address, ALICE.keys.signing_key, ALICE.keys.agreement_key),
        *(BOB.address, BOB.keys.signing_key, BOB.keys.agreement_key),
        ROTATING.x25519_public,
        one_time.x25519_public if one_time else bytes(32),
        chosen.kem_public,
        prefix,
    )
    secrets = [
        x25519(ALICE.keys.agreement_seed, ROTATING.x25519_public),
        x25519(ephemeral, BOB.keys.agreement_key),
        x25519(ephemeral, ROTATING.x25519_public),
        x25519(ephemeral, one_time.x25519_public) if one_time else b"",
        kem_secret,
    ]
    root_key = hkdf(b"", b"".join(secrets), label("handshake-keys") + transcript, 32)
    return {
        "name": "with a one-time pair" if one_time else "with the rotating pair alone",
        "one_time": one_time is not None,
        "number": NUMBER,
        "ephemeral_seed": ephemeral.hex(),
        "kem_secret": kem_secret.hex(),
        "prefix": prefix.hex(),
        "session_id": blake(16, label("session-id"), prefix).hex(),
        "transcript": transcript.hex(),
        "root_key": root_key.hex(),
    }


def main() -> None:
    """Write the file."""
    document: dict[str, object] = {
        "about": "docs/spec/04-pairwise.md, Prekeys and Handshake; bytes in hexadecimal",
        "initiator": ALICE.described(),
        "responder": BOB.described(),
        "rotating": ROTATING.described(),
        "one_time": ONE_TIME.described(),
        "handshakes": [handshake(ONE_TIME), handshake(None)],
    }
    write("handshake.json", document)


if __name__ == "__main__":
    main()
