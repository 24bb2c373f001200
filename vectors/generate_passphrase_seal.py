"""Write passphrase_seal.json: secrets sealed under passphrases (spec 09, "Passphrase seal").

Argon2id, HKDF and ChaCha20-Poly1305 by OpenSSL, which the product does not use for Argon2id.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import unicodedata
from pathlib import Path
from typing import Any

import msgpack
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

TARGET = Path(__file__).with_name("passphrase_seal.json")
ACCOUNT_SEED = "untether/v1/passphrase-seal"
DATABASE_KEY = "untether/v1/database-key"


def fixed(name: str, length: int) -> bytes:
    """Return bytes that look random and never change."""
    return hashlib.shake_256(name.encode()).digest(length)


def seal(*, purpose: str, typed: str, memory_kib: int, passes: int, name: str) -> dict[str, Any]:
    """Seal one secret, showing each intermediate value."""
    label = purpose.encode() + b"\0"
    spelt = unicodedata.normalize("NFKC", typed).encode()
    secret, salt, nonce = fixed(name, 32), fixed(name + " salt", 16), fixed(name + " nonce", 12)
    header = struct.pack(">BII", 1, memory_kib, passes) + salt + nonce
    stretched = Argon2id(
        salt=salt, length=32, iterations=passes, lanes=1, memory_cost=memory_kib
    ).derive(spelt)
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(stretched)
    sealed = header + ChaCha20Poly1305(key).encrypt(nonce, secret, label + header)
    return {
        "label": purpose,
        "passphrase": typed,
        "passphrase_bytes": spelt.hex(),
        "memory_kib": memory_kib,
        "passes": passes,
        "salt": salt.hex(),
        "nonce": nonce.hex(),
        "argon2id": stretched.hex(),
        "key": key.hex(),
        "secret": secret.hex(),
        "seal": sealed.hex(),
        "vault": msgpack.packb([sealed], use_bin_type=True).hex(),
    }


def refusals(good: bytes) -> list[dict[str, str]]:
    """Return changed seals of the first case with the error that each must give."""
    changes = {
        "another method": (b"\2" + good[1:], "seal-damaged"),
        "more than 1 GiB": (good[:1] + struct.pack(">I", 2**20 + 1) + good[5:], "seal-damaged"),
        "less than 8 KiB": (good[:1] + struct.pack(">I", 7) + good[5:], "seal-damaged"),
        "no pass": (good[:5] + bytes(4) + good[9:], "seal-damaged"),
        "17 passes": (good[:5] + struct.pack(">I", 17) + good[9:], "seal-damaged"),
        "cut inside the header": (good[:36], "seal-damaged"),
        "cut inside the tag": (good[:52], "seal-damaged"),
        "another cost": (good[:5] + struct.pack(">I", 2) + good[9:], "passphrase-wrong"),
        "another salt": (good[:9] + bytes(16) + good[25:], "passphrase-wrong"),
        "another nonce": (good[:25] + bytes(12) + good[37:], "passphrase-wrong"),
        "another tag": (good[:-1] + bytes([good[-1] ^ 1]), "passphrase-wrong"),
        "a byte too much": (good + b"\0", "passphrase-wrong"),
    }
    return [
        {"why": why, "seal": sealed.hex(), "error": error}
        for why, (sealed, error) in changes.items()
    ]


def main() -> None:
    """Write the file, or another one that the first argument names."""
    cheap = {"memory_kib": 8, "passes": 1}
    cases = [
        seal(purpose=ACCOUNT_SEED, typed="correct horse", name="small", **cheap),
        seal(purpose=DATABASE_KEY, typed="correct horse", name="small", **cheap),
        seal(purpose=ACCOUNT_SEED, typed="cafe\u0301 \uff11\uff12 \u2460", name="nfkc", **cheap),
        seal(
            purpose=ACCOUNT_SEED,
            typed="correct horse",
            name="full",
            memory_kib=65_536,
            passes=3,
        ),
    ]
    content = {
        "about": "docs/spec/09-storage.md, Passphrase seal; bytes in hexadecimal",
        "cases": cases,
        "refused": refusals(bytes.fromhex(cases[0]["seal"])),
    }
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
