"""Accounts, devices, certificates and lists for the identity vectors.

Independent of the product: msgpack, PyNaCl and the standard library only. The generators run from
the repository root: `python -m vectors.generate_certificate`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path

import msgpack
import nacl.bindings

PRIMARY = 0
COMPANION = 1
PRIME = 2**255 - 19
DAY_MS = 86_400_000
START_MS = 1_790_000_000_000
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def label(purpose: str) -> bytes:
    """Return a domain-separation label."""
    return b"untether/v1/" + purpose.encode() + b"\0"


def seed(purpose: str) -> bytes:
    """Return 32 reproducible bytes for one purpose."""
    return sha256(f"identity vectors {purpose}".encode()).digest()


def blake(length: int, *parts: bytes) -> bytes:
    """Hash the joined parts with BLAKE2b."""
    return blake2b(b"".join(parts), digest_size=length).digest()


def pack(value: object) -> bytes:
    """Encode in MessagePack, each value in its shortest form."""
    packed: bytes = msgpack.packb(value, use_bin_type=True)
    return packed


def ed25519_public(signing_seed: bytes) -> bytes:
    """Return the public key of a seed."""
    return nacl.bindings.crypto_sign_seed_keypair(signing_seed)[0]


def sign(signing_seed: bytes, purpose: str, *parts: bytes) -> bytes:
    """Sign label ‖ parts."""
    secret = nacl.bindings.crypto_sign_seed_keypair(signing_seed)[1]
    return nacl.bindings.crypto_sign(label(purpose) + b"".join(parts), secret)[:64]


@dataclass(frozen=True)
class Account:
    """An account key pair."""

    seed: bytes

    @property
    def key(self) -> bytes:
        """The public account key."""
        return ed25519_public(self.seed)

    @property
    def id(self) -> bytes:
        """The account id."""
        return blake(16, label("account-id"), self.key)


@dataclass(frozen=True)
class Device:
    """The seeds of a device."""

    signing_seed: bytes
    agreement_seed: bytes

    @property
    def signing_key(self) -> bytes:
        """The Ed25519 public key."""
        return ed25519_public(self.signing_seed)

    @property
    def agreement_key(self) -> bytes:
        """The X25519 public key."""
        return nacl.bindings.crypto_scalarmult_base(self.agreement_seed)


def account(name: str) -> Account:
    """Return the account of a person."""
    return Account(seed(f"account {name}"))


def device(name: str) -> Device:
    """Return a device by name."""
    return Device(seed(f"signing {name}"), seed(f"agreement {name}"))


def certificate_fields(
    owner: Account, number: int, role: int, generation: int, keys: Device
) -> list[object]:
    """Return the array of a certificate body."""
    return [1, owner.key, number, role, generation, keys.signing_key, keys.agreement_key]


def sign_certificate(owner: Account, keys: Device, body: bytes) -> list[bytes]:
    """Return body and both signatures: a signed certificate."""
    by_account = sign(owner.seed, "certificate-account-signature", body)
    by_device = sign(keys.signing_seed, "certificate-device-signature", body, owner.key)
    return [body, by_account, by_device]


def certificate(
    owner: Account, number: int, role: int, generation: int, keys: Device
) -> list[bytes]:
    """Return a good signed certificate."""
    body = pack(certificate_fields(owner, number, role, generation, keys))
    return sign_certificate(owner, keys, body)


def list_hash(body: bytes) -> bytes:
    """Return the hash that names a device list."""
    return blake(32, label("device-list-hash"), body)


def sign_list(body: bytes, signer: Device) -> list[bytes]:
    """Return body and signature: a signed list."""
    return [body, sign(signer.signing_seed, "device-list-signature", body)]


def write(name: str, document: dict[str, object]) -> None:
    """Write a vector file beside this one, or to the path given on the command line."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name(name)
    target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
