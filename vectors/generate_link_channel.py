"""Write link_channel.json: a sealed offer, the channel's keys and one item for each place.

Independent of the product: msgpack, PyNaCl, cryptography and the standard library. Run from the
repository's root.
"""

from __future__ import annotations

import hmac
import json
import sys
from hashlib import blake2b, sha256
from pathlib import Path

import msgpack
import nacl.bindings
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

LABEL = b"untether/v1/"
OFFER_BYTES = 540
ITEM_PADDED_MIN = 4096


def stream(purpose: str, length: int) -> bytes:
    """Return reproducible bytes for one purpose."""
    return b"".join(
        sha256(f"link channel {purpose} {block}".encode()).digest()
        for block in range(length // 32 + 1)
    )[:length]


def hkdf(ikm: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256 with an empty salt and one block of output."""
    key = hmac.digest(bytes(32), ikm, "sha256")
    return hmac.digest(key, info + b"\1", "sha256")


def pack(value: object) -> bytes:
    """Encode in MessagePack."""
    packed: bytes = msgpack.packb(value, use_bin_type=True)
    return packed


def pad(data: bytes, length: int) -> bytes:
    """Pad with one marker byte and zeros."""
    return (data + b"\x80").ljust(length, b"\0")


def seal(key: bytes, nonce: bytes, padded: bytes, associated: bytes) -> bytes:
    """Return nonce ‖ ciphertext ‖ tag."""
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, padded, associated)


def public(seed: bytes) -> bytes:
    """Return the X25519 public key of a seed."""
    return nacl.bindings.crypto_scalarmult_base(seed)


def records() -> dict[str, list[object]]:
    """Return one record per place, as the arrays that are encoded."""
    signed = [stream("list body", 300), stream("list signature", 64)]
    notice = [
        "device-notice", 0, stream("certificate hash", 32), "Alice's phone", "phone",
        1_790_000_000_000, "Android",
    ]  # fmt: skip
    answer: list[object] = [
        "answer", stream("account key", 32), "alice", "Alice's phone",
        stream("certificate", 140), stream("account signature", 64), signed, [notice],
    ]  # fmt: skip
    prekey = [stream("prekey body", 1250), stream("prekey signature", 64)]
    return {
        "answer": answer,
        "acceptance": ["acceptance", stream("device signature", 64), [prekey, [prekey] * 3]],
        "result": ["admission", [signed]],
        "refusal": ["refusal", "link-list-moved-on"],
    }


def offer_case(relay_id: bytes, slot_id: bytes, secret: bytes, ephemeral: bytes) -> dict[str, str]:
    """Seal an offer and hash it."""
    plaintext = pack(
        [
            stream("signing key", 32), stream("agreement key", 32), ephemeral,
            "Alice's laptop", "desktop", 1_790_000_600_000, "Linux",
        ]
    )  # fmt: skip
    key = hkdf(secret, LABEL + b"link-offer-key\0" + relay_id + slot_id)
    sealed = seal(key, stream("offer nonce", 12), pad(plaintext, OFFER_BYTES - 28), b"")
    digest = blake2b(LABEL + b"link-offer-hash\0" + sealed, digest_size=32).hexdigest()
    return {
        "plaintext": plaintext.hex(),
        "key": key.hex(),
        "nonce": stream("offer nonce", 12).hex(),
        "sealed": sealed.hex(),
        "hash": digest,
    }


def padded_length(length: int) -> int:
    """Return the Padmé bucket of a marked plaintext, at least ITEM_PADDED_MIN."""
    exponent = length.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return max(ITEM_PADDED_MIN, (length + mask) & ~mask)


def item_cases(keys: dict[int, bytes]) -> list[dict[str, object]]:
    """Seal each record for its place, and a refusal for the last one."""
    cases: list[dict[str, object]] = []
    for name, place, direction in (
        ("answer", 1, 1), ("acceptance", 2, 2), ("result", 3, 1), ("refusal", 3, 1),
    ):  # fmt: skip
        plaintext = pack(records()[name])
        nonce = stream(f"{name} nonce", 12)
        padded = pad(plaintext, padded_length(len(plaintext) + 1))
        sealed = seal(keys[direction], nonce, padded, bytes([place]))
        cases.append(
            {
                "record": name, "place": place, "direction": direction,
                "plaintext": plaintext.hex(), "nonce": nonce.hex(), "sealed": sealed.hex(),
            }
        )  # fmt: skip
    return cases


def withdrawal_case(ikm: bytes, place: bytes) -> dict[str, str]:
    """Seal the refusal of a companion that has read no answer."""
    plaintext = pack(["refusal", "link-cancelled"])
    key = hkdf(ikm, LABEL + b"link-withdrawal\0" + place)
    nonce = stream("withdrawal nonce", 12)
    return {
        "key": key.hex(),
        "plaintext": plaintext.hex(),
        "nonce": nonce.hex(),
        "sealed": seal(key, nonce, pad(plaintext, ITEM_PADDED_MIN), bytes([2])).hex(),
    }


def main() -> None:
    """Write the file beside this script, or to the path given."""
    relay_id, slot_id, secret = stream("relay", 16), stream("slot", 16), stream("secret", 32)
    companion, phone = stream("companion ephemeral", 32), stream("phone ephemeral", 32)
    offer = offer_case(relay_id, slot_id, secret, public(companion))
    shared = nacl.bindings.crypto_scalarmult(companion, public(phone))
    place = relay_id + slot_id + bytes.fromhex(offer["hash"])
    tail = place + public(companion) + public(phone)
    keys = {
        direction: hkdf(secret + shared, LABEL + b"link-channel\0" + bytes([direction]) + tail)
        for direction in (1, 2)
    }
    document = {
        "about": "docs/spec/03-linking.md, Offer and Channel; bytes in hexadecimal",
        "relay_id": relay_id.hex(),
        "slot_id": slot_id.hex(),
        "link_secret": secret.hex(),
        "companion_ephemeral_seed": companion.hex(),
        "phone_ephemeral_seed": phone.hex(),
        "offer": offer,
        "phone_to_companion_key": keys[1].hex(),
        "companion_to_phone_key": keys[2].hex(),
        "items": item_cases(keys),
        "withdrawal": withdrawal_case(secret, place),
    }
    target = Path(__file__).with_name("link_channel.json")
    if len(sys.argv) > 1:
        target = Path(sys.argv[1])
    target.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
