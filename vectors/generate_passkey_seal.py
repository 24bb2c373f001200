"""Write passkey_seal.json: secrets sealed under passkeys (spec 09, "Passkey seal").

HKDF and ChaCha20-Poly1305 by OpenSSL; the layout by struct alone.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

TARGET = Path(__file__).with_name("passkey_seal.json")
ACCOUNT_SEED = "untether/v1/passkey-seal"
DATABASE_KEY = "untether/v1/database-key"


def fixed(name: str, length: int) -> bytes:
    """Return bytes that look random and never change."""
    return hashlib.shake_256(name.encode()).digest(length)


def seal(*, purpose: str, id_length: int, name: str) -> dict[str, Any]:
    """Seal one secret, showing each intermediate value."""
    label = purpose.encode() + b"\0"
    secret, prf, salt = fixed(name, 32), fixed(name + " prf", 32), fixed(name + " salt", 32)
    credential, nonce = fixed(name + " id", id_length), fixed(name + " nonce", 12)
    header = struct.pack(">BH", 2, id_length) + credential + salt + nonce
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(prf)
    sealed = header + ChaCha20Poly1305(key).encrypt(nonce, secret, label + header)
    return {
        "label": purpose,
        "credential_id": credential.hex(),
        "prf_salt": salt.hex(),
        "prf_output": prf.hex(),
        "nonce": nonce.hex(),
        "key": key.hex(),
        "secret": secret.hex(),
        "seal": sealed.hex(),
    }


def refusals(good: bytes) -> list[dict[str, str]]:
    """Return changed seals of the first case (id of 16 bytes) with the error each must give."""
    changes = {
        "another method": (b"\1" + good[1:], "seal-damaged"),
        "no credential": (good[:1] + struct.pack(">H", 0) + good[3:], "seal-damaged"),
        "a credential beyond the end": (good[:1] + b"\xff\xff" + good[3:], "seal-damaged"),
        "513 bytes of credential": (
            good[:1] + struct.pack(">H", 513) + bytes(513) + good[19:],
            "seal-damaged",
        ),
        "cut inside the header": (good[:2], "seal-damaged"),
        "cut inside the nonce": (good[:55], "seal-damaged"),
        "cut inside the tag": (good[:78], "seal-damaged"),
        "another credential": (good[:3] + bytes(16) + good[19:], "passkey-wrong"),
        "another salt": (good[:19] + bytes(32) + good[51:], "passkey-wrong"),
        "another nonce": (good[:51] + bytes(12) + good[63:], "passkey-wrong"),
        "another tag": (good[:-1] + bytes([good[-1] ^ 1]), "passkey-wrong"),
        "a byte too much": (good + b"\0", "passkey-wrong"),
    }
    return [
        {"why": why, "seal": sealed.hex(), "error": error}
        for why, (sealed, error) in changes.items()
    ]


def main() -> None:
    """Write the file, or another one that the first argument names."""
    cases = [
        seal(purpose=ACCOUNT_SEED, id_length=16, name="platform"),
        seal(purpose=DATABASE_KEY, id_length=16, name="platform"),
        seal(purpose=ACCOUNT_SEED, id_length=1, name="shortest"),
        seal(purpose=ACCOUNT_SEED, id_length=512, name="longest"),
    ]
    content = {
        "about": "docs/spec/09-storage.md, Passkey seal; bytes in hexadecimal",
        "cases": cases,
        "refused": refusals(bytes.fromhex(cases[0]["seal"])),
    }
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
