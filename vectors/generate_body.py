"""Write body.json: sealed bodies, and what must be refused with which error."""

from __future__ import annotations

from hashlib import blake2b

from vectors.identity_builder import blake, label, write
from vectors.pairwise_builder import seal, stream

PADDED = {0: 256, 5: 256, 255: 256, 256: 272, 1_000: 1_024, 40_000: 40_960}


def commitment(key: bytes, nonce: bytes) -> bytes:
    """Return what ties a body to its key."""
    data = label("body-commitment") + nonce + b"\x01"
    return blake2b(data, key=key, digest_size=32).digest()


def sealed_body(key: bytes, nonce: bytes, padded: bytes, committed: bytes) -> bytes:
    """Return the sealed bytes."""
    return b"\x01" + committed + nonce + seal(key, nonce, padded, b"\x01")


def body_hash(sealed: bytes) -> bytes:
    """Return the name of a sealed body."""
    return blake(32, label("body-hash"), sealed)


def accepted(length: int) -> dict[str, object]:
    """Return a good body of some length."""
    key, nonce = stream(f"body key {length}", 32), stream(f"body nonce {length}", 12)
    plaintext = stream(f"body text {length}", length)
    padded = (plaintext + b"\x80").ljust(PADDED[length], b"\0")
    sealed = sealed_body(key, nonce, padded, commitment(key, nonce))
    described: dict[str, object] = {
        "name": f"{length} bytes",
        "body_key": key.hex(),
        "nonce": nonce.hex(),
        "plaintext_length": length,
        "plaintext_blake2b_256": blake(32, plaintext).hex(),
        "sealed_length": len(sealed),
        "body_hash": body_hash(sealed).hex(),
    }
    if length <= 256:
        described |= {"plaintext": plaintext.hex(), "sealed": sealed.hex()}
    return described


def refused() -> list[dict[str, object]]:
    """Return bodies that must be refused."""
    key, other, nonce = stream("key", 32), stream("other key", 32), stream("nonce", 12)
    padded = b"hello\x80".ljust(256, b"\0")
    good = sealed_body(key, nonce, padded, commitment(key, nonce))
    zeros = sealed_body(key, nonce, bytes(256), commitment(key, nonce))
    cases = [
        ("another body under the same key", "body-swapped", key, good, body_hash(zeros)),
        ("committed to another key", "body-uncommitted", other, good, None),
        ("commitment of another key in front", "body-damaged", other,
         b"\x01" + commitment(other, nonce) + good[33:], None),
        ("another format byte", "body-format", key, b"\x02" + good[1:], None),
        ("cut short", "body-format", key, good[:60], None),
        ("ciphertext changed", "body-damaged", key, good[:-1] + bytes([good[-1] ^ 1]), None),
        ("no padding marker", "bad-padding", key, zeros, None),
    ]  # fmt: skip
    return [
        {
            "name": name,
            "error": error,
            "body_key": body_key.hex(),
            "body_hash": (named or body_hash(sealed)).hex(),
            "sealed": sealed.hex(),
        }
        for name, error, body_key, sealed, named in cases
    ]


def main() -> None:
    """Write the file."""
    document: dict[str, object] = {
        "about": "docs/spec/05-messages.md, Body; bytes in hexadecimal",
        "accepted": [accepted(length) for length in PADDED],
        "refused": refused(),
    }
    write("body.json", document)


if __name__ == "__main__":
    main()
