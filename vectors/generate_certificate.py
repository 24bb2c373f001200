"""Write certificate.json: good certificates, and what must be refused with which error."""

from __future__ import annotations

from base64 import b32encode

from vectors.identity_builder import (
    COMPANION,
    ED25519_ORDER,
    PRIMARY,
    PRIME,
    Account,
    Device,
    account,
    blake,
    certificate,
    certificate_fields,
    device,
    label,
    pack,
    sign,
    sign_certificate,
    write,
)

ALICE, MALLORY = account("alice"), account("mallory")
PHONE, LAPTOP, OTHER = device("phone"), device("laptop"), device("other")

# d of −x² + y² = 1 + d·x²·y²; points of small order are computed from it, not copied.
EDWARDS_D = -121665 * pow(121666, -1, PRIME) % PRIME


def square_root(value: int) -> int | None:
    """Return a square root modulo 2²⁵⁵ − 19, if there is one."""
    root = pow(value, (PRIME + 3) // 8, PRIME)
    if root * root % PRIME != value % PRIME:
        root = root * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    return root if root * root % PRIME == value % PRIME else None


def order_eight_y() -> list[int]:
    """Solve for the points whose double has y = 0: y² = −x² =: t and d·t² + 2·t − 1 = 0."""
    found = set[int]()
    discriminant = square_root(4 + 4 * EDWARDS_D)
    assert discriminant is not None
    for root in (discriminant, -discriminant):
        t = (root - 2) * pow(2 * EDWARDS_D, -1, PRIME) % PRIME
        y = square_root(t)
        if y is not None and square_root(-t) is not None:
            found |= {y, PRIME - y}
    return sorted(found)


def little(value: int) -> bytes:
    """Encode a coordinate."""
    return value.to_bytes(32, "little")


def accepted_case(
    name: str, number: int, role: int, generation: int, keys: Device
) -> dict[str, object]:
    """Describe one good certificate."""
    body, by_account, by_device = certificate(ALICE, number, role, generation, keys)
    body_hash = blake(32, label("certificate-hash"), body)
    short = b32encode(body_hash).decode().lower()[:12]
    return {
        "name": name,
        "device": number,
        "role": role,
        "generation": generation,
        "signing_seed": keys.signing_seed.hex(),
        "agreement_seed": keys.agreement_seed.hex(),
        "body": body.hex(),
        "account_signature": by_account.hex(),
        "device_signature": by_device.hex(),
        "hash": body_hash.hex(),
        "short_code": f"{short[:4]}-{short[4:8]}-{short[8:]}",
    }


def refused_case(
    name: str, error: str, signed: list[bytes], account_key: bytes = ALICE.key
) -> dict[str, object]:
    """Describe one certificate to refuse."""
    return {
        "name": name,
        "error": error,
        "account_key": account_key.hex(),
        "body": signed[0].hex(),
        "account_signature": signed[1].hex(),
        "device_signature": signed[2].hex(),
    }


def wrong_encodings() -> list[dict[str, object]]:
    """Well signed, but not in the one spelling of the specification."""
    fields = certificate_fields(ALICE, 5, COMPANION, 0, LAPTOP)
    body = pack(fields)
    bodies = [
        (
            "number as uint16",
            "not-canonical",
            body.replace(b"\x05\x01\x00", b"\xcd\x00\x05\x01\x00"),
        ),
        ("array with a 16-bit length", "not-canonical", b"\xdc\x00\x07" + body[1:]),
        (
            "key with a 16-bit length",
            "not-canonical",
            body.replace(b"\xc4\x20", b"\xc5\x00\x20", 1),
        ),
        ("a byte behind the end", "malformed", body + b"\x00"),
        ("one field more", "malformed", pack([*fields, 0])),
        ("one field less", "malformed", pack(fields[:-1])),
        ("map instead of array", "malformed", pack({"suite": 1})),
        ("key of 31 bytes", "malformed", pack([*fields[:-1], bytes(31)])),
        ("negative number", "malformed", pack([*fields[:2], -1, *fields[3:]])),
        ("longer than any certificate", "too-large", body + bytes(200)),
    ]
    return [
        refused_case(name, error, sign_certificate(ALICE, LAPTOP, changed))
        for name, error, changed in bodies
    ]


def wrong_fields() -> list[dict[str, object]]:
    """Well signed, but saying what no certificate may say."""
    fields = certificate_fields(ALICE, 5, COMPANION, 0, LAPTOP)

    def changed(place: int, value: object) -> list[bytes]:
        body = pack([*fields[:place], value, *fields[place + 1 :]])
        return sign_certificate(ALICE, LAPTOP, body)

    as_account = Device(ALICE.seed, LAPTOP.agreement_seed)
    return [
        refused_case("unknown suite", "unknown-suite", changed(0, 2)),
        refused_case("unknown role", "malformed", changed(3, 2)),
        refused_case("companion with a generation", "wrong-generation", changed(4, 1)),
        refused_case(
            "account key as signing key",
            "key-reused",
            certificate(ALICE, 5, COMPANION, 0, as_account),
        ),
    ]


def wrong_signatures() -> list[dict[str, object]]:
    """Good bodies under signatures that vouch for something else."""
    body, by_account, by_device = certificate(ALICE, 5, COMPANION, 0, LAPTOP)
    scalar = int.from_bytes(by_account[32:], "little") + ED25519_ORDER
    stretched = by_account[:32] + scalar.to_bytes(32, "little")
    mixed_label = sign(ALICE.seed, "certificate-device-signature", body)
    no_account = sign(LAPTOP.signing_seed, "certificate-device-signature", body)
    other_account = sign(LAPTOP.signing_seed, "certificate-device-signature", body, MALLORY.key)
    by_other = sign_certificate(MALLORY, OTHER, body)
    return [
        refused_case(
            "signed by another account", "bad-account-signature", [body, by_other[1], by_device]
        ),
        refused_case(
            "signed by another device", "bad-device-signature", [body, by_account, by_other[2]]
        ),
        refused_case("signatures swapped", "bad-account-signature", [body, by_device, by_account]),
        refused_case(
            "account signature under the device label",
            "bad-account-signature",
            [body, mixed_label, by_device],
        ),
        refused_case(
            "device signature without the account key",
            "bad-device-signature",
            [body, by_account, no_account],
        ),
        refused_case(
            "device signature for another account",
            "bad-device-signature",
            [body, by_account, other_account],
        ),
        refused_case(
            "second form of the account signature",
            "bad-account-signature",
            [body, stretched, by_device],
        ),
        refused_case(
            "good certificate of another account",
            "wrong-account",
            certificate(MALLORY, 5, COMPANION, 0, OTHER),
        ),
        refused_case(
            "another account pinned", "wrong-account", [body, by_account, by_device], MALLORY.key
        ),
    ]


def with_keys(signing_key: bytes, agreement_key: bytes, owner: Account = ALICE) -> list[bytes]:
    """Return a certificate for these keys, signed as well as one can."""
    body = pack([1, owner.key, 5, COMPANION, 0, signing_key, agreement_key])
    return sign_certificate(owner, LAPTOP, body)


def weak_keys() -> list[dict[str, object]]:
    """Keys of small order and second encodings of keys, in each place of a certificate."""
    eights = order_eight_y()
    cases = []
    for y in (0, 1, PRIME - 1, *eights):
        for sign_bit in (0, 1):
            key = little(y | sign_bit << 255)
            signed = with_keys(key, LAPTOP.agreement_key)
            cases.append(
                refused_case(f"signing key of small order {key.hex()}", "weak-key", signed)
            )
    orders_u = (0, 1, PRIME - 1, *((1 + y) * pow(1 - y, -1, PRIME) % PRIME for y in eights))
    for u in orders_u:
        signed = with_keys(LAPTOP.signing_key, little(u))
        name = f"agreement key of small order {little(u).hex()}"
        cases.append(refused_case(name, "weak-key", signed))
    for value in (PRIME, PRIME + 1, 2**255 - 1):
        name = f"second encoding {little(value).hex()}"
        signing = with_keys(little(value), LAPTOP.agreement_key)
        agreement = with_keys(LAPTOP.signing_key, little(value))
        cases.append(refused_case(f"signing key in {name}", "not-canonical", signing))
        cases.append(refused_case(f"agreement key in {name}", "not-canonical", agreement))
    high_bit = little(int.from_bytes(LAPTOP.agreement_key, "little") | 1 << 255)
    cases.append(
        refused_case(
            "agreement key with its highest bit set",
            "not-canonical",
            with_keys(LAPTOP.signing_key, high_bit),
        )
    )
    weak_account = pack([1, little(1), 5, COMPANION, 0, LAPTOP.signing_key, LAPTOP.agreement_key])
    cases.append(
        refused_case(
            "account key of small order",
            "weak-key",
            [weak_account, little(1) + bytes(32), sign_certificate(ALICE, LAPTOP, weak_account)[2]],
            little(1),
        )
    )
    return cases


def main() -> None:
    """Write the file."""
    write(
        "certificate.json",
        {
            "about": "docs/spec/02-identity.md, Device certificate; bytes in hexadecimal",
            "account_seed": ALICE.seed.hex(),
            "account_key": ALICE.key.hex(),
            "accepted": [
                accepted_case("phone", 0, PRIMARY, 0, PHONE),
                accepted_case("companion", 1, COMPANION, 0, LAPTOP),
                accepted_case("phone of the third generation", 3072, PRIMARY, 3, OTHER),
                accepted_case("highest number", 2**31 - 1, COMPANION, 0, LAPTOP),
            ],
            "refused": [*wrong_encodings(), *wrong_fields(), *wrong_signatures(), *weak_keys()],
        },
    )


if __name__ == "__main__":
    main()
