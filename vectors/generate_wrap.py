"""Write wrap.json: the sealed key of one body for three devices of one contact."""

from __future__ import annotations

from vectors.identity_builder import account, device, label, pack, write
from vectors.pairwise_builder import Chain, End, stream, x25519_public

ALICE = End(account("alice"), 0, device("alice phone"))
BOB = account("bob")
DEVICES = {0: (0, 0), 3: (7, 41), 70_000: (2**32 - 2, 2**32 - 2)}


def main() -> None:
    """Write the file."""
    head = [1, 9, stream("list hash", 32)]
    payload = pack(["body-key", stream("body key", 32), stream("body hash", 32), head])
    nonce = stream("nonce", 12)
    associated = label("pairwise-message") + ALICE.address + BOB.key
    before, after, messages = b"", b"", []
    for number, (previous_length, next_number) in DEVICES.items():
        packed_number = number.to_bytes(4, "big")
        seed, chain_key = stream(f"ratchet {number}", 32), stream(f"chain {number}", 32)
        chain = Chain(x25519_public(seed), previous_length, next_number, chain_key)
        before += packed_number + chain.state()
        messages.append(chain.seal(payload, nonce, associated + packed_number).hex())
        after += packed_number + chain.state()
    document: dict[str, object] = {
        "about": "docs/spec/04-pairwise.md, Fan-out, and 05-messages.md, Body; hexadecimal",
        "sender": ALICE.described(),
        "recipient_account_key": BOB.key.hex(),
        "body_key": stream("body key", 32).hex(),
        "body_hash": stream("body hash", 32).hex(),
        "assumed_head": {"generation": 1, "version": 9, "hash": stream("list hash", 32).hex()},
        "payload": payload.hex(),
        "nonce": nonce.hex(),
        "row_before": before.hex(),
        "row_after": after.hex(),
        "messages": messages,
    }
    write("wrap.json", document)


if __name__ == "__main__":
    main()
