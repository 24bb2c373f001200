"""Write security_code.json: digits, QR texts and what comparing them says."""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha512

from vectors.identity_builder import Account, account, label, pack, seed, write

ALICE, BOB, MALLORY = account("alice"), account("bob"), account("mallory")
PREFIX = "untether://compare/"
Head = list[object]
ALICE_HEAD: Head = [0, 4, seed("list of alice")]
BOB_HEAD: Head = [1, 2, seed("list of bob")]


def fingerprint(person: Account) -> bytes:
    """Iterate SHA-512 5,200 times."""
    digest = sha512(label("security-code") + person.key + person.id).digest()
    for _ in range(5_199):
        digest = sha512(digest + person.key).digest()
    return digest[:32]


def digits(person: Account) -> str:
    """Return one side's thirty digits."""
    print_ = fingerprint(person)
    chunks = [int.from_bytes(print_[start : start + 5], "big") for start in range(0, 30, 5)]
    return "".join(f"{chunk % 100_000:05d}" for chunk in chunks)


def base32(data: bytes) -> str:
    """Spell bytes for links."""
    return b32encode(data).decode().rstrip("=").lower()


def qr_text(own: Account, own_head: Head, other: Account, other_head: Head) -> str:
    """Return what one side shows."""
    return PREFIX + base32(pack([1, fingerprint(own), fingerprint(other), own_head, other_head]))


def code_case(left: Account, right: Account) -> dict[str, object]:
    """Describe the code of two people."""
    return {
        "a_key": left.key.hex(),
        "b_key": right.key.hex(),
        "a_fingerprint": fingerprint(left).hex(),
        "b_fingerprint": fingerprint(right).hex(),
        "code": "".join(sorted((digits(left), digits(right)))),
    }


def comparisons() -> list[dict[str, object]]:
    """Return what Alice, who holds both heads, learns from texts on Bob's screen."""
    older_alice: Head = [0, 3, seed("older list of alice")]
    newer_bob: Head = [2, 1, seed("newer list of bob")]
    split_bob: Head = [1, 2, seed("other list of bob")]
    split_alice: Head = [0, 4, seed("other list of alice")]
    good = qr_text(BOB, BOB_HEAD, ALICE, ALICE_HEAD)
    data = pack([1, fingerprint(BOB), fingerprint(ALICE), BOB_HEAD, ALICE_HEAD])
    wide = b"\xdc\x00\x05" + data[1:]
    other_version = pack([2, fingerprint(BOB), fingerprint(ALICE), BOB_HEAD, ALICE_HEAD])
    texts: list[tuple[str, str, dict[str, str]]] = [
        ("same lists", good, {"own": "same", "other": "same"}),
        (
            "Bob has an older list of Alice",
            qr_text(BOB, BOB_HEAD, ALICE, older_alice),
            {"own": "newer-here", "other": "same"},
        ),
        (
            "Bob has a newer list of himself",
            qr_text(BOB, newer_bob, ALICE, ALICE_HEAD),
            {"own": "same", "other": "newer-there"},
        ),
        (
            "Bob knows another key of Alice",
            qr_text(BOB, BOB_HEAD, MALLORY, ALICE_HEAD),
            {"error": "security-code-differs"},
        ),
        (
            "somebody else shows",
            qr_text(MALLORY, BOB_HEAD, ALICE, ALICE_HEAD),
            {"error": "security-code-differs"},
        ),
        (
            "Alice's own screen",
            qr_text(ALICE, ALICE_HEAD, BOB, BOB_HEAD),
            {"error": "security-code-differs"},
        ),
        (
            "another list of Bob in one place",
            qr_text(BOB, split_bob, ALICE, ALICE_HEAD),
            {"error": "security-lists-differ"},
        ),
        (
            "another list of Alice in one place",
            qr_text(BOB, BOB_HEAD, ALICE, split_alice),
            {"error": "security-lists-differ"},
        ),
        ("second spelling", PREFIX + base32(wide), {"error": "not-a-security-qr"}),
        ("upper case", PREFIX + base32(data).upper(), {"error": "not-a-security-qr"}),
        ("cut off", good[:-1], {"error": "not-a-security-qr"}),
        ("unknown version", PREFIX + base32(other_version), {"error": "not-a-security-qr"}),
        ("a link text", "untether://link/" + base32(data), {"error": "not-a-security-qr"}),
        ("too long", PREFIX + base32(data + bytes(100)), {"error": "not-a-security-qr"}),
    ]
    return [{"name": name, "text": text, **result} for name, text, result in texts]


def main() -> None:
    """Write the file."""
    write(
        "security_code.json",
        {
            "about": "docs/spec/02-identity.md, Security code; bytes in hexadecimal",
            "codes": [code_case(ALICE, BOB), code_case(ALICE, MALLORY), code_case(BOB, MALLORY)],
            "alice": {"account_key": ALICE.key.hex(), "head": pack(ALICE_HEAD).hex()},
            "bob": {"account_key": BOB.key.hex(), "head": pack(BOB_HEAD).hex()},
            "comparisons": comparisons(),
        },
    )


if __name__ == "__main__":
    main()
