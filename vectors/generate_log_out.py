"""Write log_out.json: resignations and wipe orders, and those to refuse."""

from __future__ import annotations

from vectors.device_list_drafts import (
    ALICE,
    LAPTOP,
    LAPTOP_1,
    MALLORY,
    PHONE,
    PHONE_0,
    TABLET,
    history,
)
from vectors.identity_builder import Device, pack, seed, sign, write


def signed(signer: Device, purpose: str, body: bytes) -> dict[str, str]:
    """Return body and signature."""
    return {"body": body.hex(), "signature": sign(signer.signing_seed, purpose, body).hex()}


def certificate_json(certificate: list[bytes]) -> dict[str, str]:
    """Describe a signed certificate."""
    names = ("body", "account_signature", "device_signature")
    return {name: value.hex() for name, value in zip(names, certificate, strict=True)}


def resignations(known_hash: bytes) -> list[dict[str, object]]:
    """Return resignations of the laptop, device 1, that do not count."""
    good = pack([ALICE.id, 1, known_hash])
    cases: list[tuple[str, str, list[bytes], dict[str, str]]] = [
        (
            "of another device",
            "wrong-device",
            LAPTOP_1,
            signed(LAPTOP, "resignation", pack([ALICE.id, 2, known_hash])),
        ),
        (
            "of another account",
            "wrong-device",
            LAPTOP_1,
            signed(LAPTOP, "resignation", pack([MALLORY.id, 1, known_hash])),
        ),
        (
            "of the phone",
            "phone-stays",
            PHONE_0,
            signed(PHONE, "resignation", pack([ALICE.id, 0, known_hash])),
        ),
        (
            "signed by the phone",
            "bad-resignation-signature",
            LAPTOP_1,
            signed(PHONE, "resignation", good),
        ),
        (
            "under another label",
            "bad-resignation-signature",
            LAPTOP_1,
            signed(LAPTOP, "wipe-order", good),
        ),
        (
            "in a second spelling",
            "not-canonical",
            LAPTOP_1,
            signed(LAPTOP, "resignation", b"\xdc\x00\x03" + good[1:]),
        ),
        ("too long", "too-large", LAPTOP_1, signed(LAPTOP, "resignation", good + bytes(20))),
    ]
    return [
        {"name": name, "error": error, "certificate": certificate_json(certificate), **case}
        for name, error, certificate, case in cases
    ]


def wipe_orders(removing_hash: bytes) -> list[dict[str, object]]:
    """Return orders against the list that removed the laptop, which do not count."""
    good = pack([ALICE.id, 1, removing_hash])
    cases: list[tuple[str, str, dict[str, str]]] = [
        (
            "for a present device",
            "device-not-removed",
            signed(PHONE, "wipe-order", pack([ALICE.id, 2, removing_hash])),
        ),
        (
            "for a number never given",
            "device-not-removed",
            signed(PHONE, "wipe-order", pack([ALICE.id, 3, removing_hash])),
        ),
        (
            "for another list",
            "wrong-list",
            signed(PHONE, "wipe-order", pack([ALICE.id, 1, seed("other list")])),
        ),
        (
            "of another account",
            "wrong-account",
            signed(PHONE, "wipe-order", pack([MALLORY.id, 1, removing_hash])),
        ),
        ("signed by a companion", "bad-wipe-signature", signed(TABLET, "wipe-order", good)),
        ("under another label", "bad-wipe-signature", signed(PHONE, "resignation", good)),
        (
            "in a second spelling",
            "not-canonical",
            signed(PHONE, "wipe-order", b"\xdc\x00\x03" + good[1:]),
        ),
    ]
    return [{"name": name, "error": error, **case} for name, error, case in cases]


def main() -> None:
    """Write the file."""
    honest = history()
    known, removing = honest["tablet linked"], honest["laptop logged out"]
    list_body, list_signature = removing.signed
    write(
        "log_out.json",
        {
            "about": "docs/spec/02-identity.md, Resignation and Wipe order; bytes in hexadecimal",
            "account_key": ALICE.key.hex(),
            "device": 1,
            "resignation": {
                "certificate": certificate_json(LAPTOP_1),
                "signing_seed": LAPTOP.signing_seed.hex(),
                "list_hash": known.hash.hex(),
                **signed(LAPTOP, "resignation", pack([ALICE.id, 1, known.hash])),
            },
            "removing_list": {"body": list_body.hex(), "signature": list_signature.hex()},
            "wipe_order": {
                "signing_seed": PHONE.signing_seed.hex(),
                "list_hash": removing.hash.hex(),
                **signed(PHONE, "wipe-order", pack([ALICE.id, 1, removing.hash])),
            },
            "refused_resignations": resignations(known.hash),
            "refused_wipe_orders": wipe_orders(removing.hash),
        },
    )


if __name__ == "__main__":
    main()
