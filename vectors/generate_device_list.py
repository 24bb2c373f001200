"""Write device_list.json: one account's history, lists to refuse, and runs to follow or not."""

from __future__ import annotations

from dataclasses import replace

from vectors.device_list_drafts import (
    ALICE,
    DESKTOP,
    LAPTOP,
    LAPTOP_1,
    MALLORY,
    PHONE,
    PHONE_0,
    PHONE_1024,
    STOLEN_PHONE,
    TABLET,
    TABLET_2,
    Draft,
    after,
    history,
)
from vectors.identity_builder import (
    COMPANION,
    DAY_MS,
    PRIMARY,
    START_MS,
    Device,
    certificate,
    device,
    pack,
    sign_certificate,
    sign_list,
    write,
)

FIVE_COMPANIONS = [
    certificate(ALICE, number, COMPANION, 0, device(f"companion {number}"))
    for number in range(1, 6)
]


def broken(honest: dict[str, Draft]) -> list[tuple[str, str, list[bytes]]]:
    """Return lists that no verifier takes, whatever it holds: name, error, signed list."""
    return [*broken_encodings(honest), *broken_places(honest), *broken_devices(honest)]


def broken_encodings(honest: dict[str, Draft]) -> list[tuple[str, str, list[bytes]]]:
    """Well signed bodies in a second spelling, and good bodies under another signature."""
    second = honest["laptop linked"]
    body, signature = second.signed
    wide_version = body.replace(b"\x00\x02\xc4\x20", b"\x00\xcd\x00\x02\xc4\x20", 1)
    return [
        ("version as uint16", "not-canonical", sign_list(wide_version, PHONE)),
        (
            "array with a 16-bit length",
            "not-canonical",
            sign_list(b"\xdc\x00\x08" + body[1:], PHONE),
        ),
        ("a byte behind the end", "malformed", sign_list(body + b"\x00", PHONE)),
        ("one field more", "malformed", sign_list(pack([*second.fields, 0]), PHONE)),
        ("one field less", "malformed", sign_list(pack(second.fields[:-1]), PHONE)),
        ("longer than any list", "too-large", sign_list(body + bytes(9000), PHONE)),
        ("signed by the companion", "list-wrong-signer", sign_list(body, LAPTOP)),
        (
            "signed by the account key",
            "list-wrong-signer",
            sign_list(body, Device(ALICE.seed, b"")),
        ),
        ("signed by a stranger", "list-wrong-signer", sign_list(body, STOLEN_PHONE)),
        ("signature of another list", "list-wrong-signer", [body, honest["phone alone"].signed[1]]),
        (
            "one bit of the signature",
            "list-wrong-signer",
            [body, bytes([signature[0] ^ 1]) + signature[1:]],
        ),
    ]


def broken_places(honest: dict[str, Draft]) -> list[tuple[str, str, list[bytes]]]:
    """Wrong account, place in the order, or lease."""
    first, second = honest["phone alone"], honest["laptop linked"]
    recovered = honest["new phone"]
    theirs = [certificate(MALLORY, 0, PRIMARY, 0, PHONE)]
    return [
        (
            "list of another account",
            "wrong-account",
            replace(first, owner=MALLORY, certificates=theirs).signed,
        ),
        (
            "certificates of another account",
            "wrong-account",
            replace(first, certificates=theirs).signed,
        ),
        ("version zero", "list-bad-version", replace(first, version=0).signed),
        (
            "second list without a previous hash",
            "list-bad-previous",
            replace(second, previous=bytes(32)).signed,
        ),
        (
            "first list with a previous hash",
            "list-bad-previous",
            replace(first, previous=b"\x01" * 32).signed,
        ),
        (
            "recovery without a previous hash",
            "list-bad-previous",
            replace(recovered, previous=bytes(32)).signed,
        ),
        ("lease of nothing", "list-bad-lease", replace(first, lease_days=0).signed),
        (
            "lease that ends before it starts",
            "list-bad-lease",
            replace(first, lease_days=-1).signed,
        ),
        ("lease of 181 days", "list-bad-lease", replace(first, lease_days=181).signed),
    ]


def broken_devices(honest: dict[str, Draft]) -> list[tuple[str, str, list[bytes]]]:
    """Devices that may not stand in one list, or not in this one."""
    first, third, recovered = (
        honest[name] for name in ("phone alone", "tablet linked", "new phone")
    )
    uncertified = sign_certificate(MALLORY, LAPTOP, LAPTOP_1[0])
    twin = certificate(ALICE, 2, COMPANION, 0, LAPTOP)
    half_twin = certificate(
        ALICE, 2, COMPANION, 0, Device(TABLET.signing_seed, LAPTOP.agreement_seed)
    )
    second_phone = certificate(ALICE, 1, PRIMARY, 0, STOLEN_PHONE)

    def with_devices(*certificates: list[bytes], next_number: int = 3) -> list[bytes]:
        return replace(third, certificates=list(certificates), next_number=next_number).signed

    five = with_devices(PHONE_0, *FIVE_COMPANIONS, next_number=6)
    return [
        ("five companions", "list-too-many-devices", five),
        ("no device", "list-no-device", with_devices()),
        ("no phone", "list-not-one-phone", with_devices(LAPTOP_1, TABLET_2)),
        ("two phones", "list-not-one-phone", with_devices(PHONE_0, second_phone)),
        (
            "device that the account key never certified",
            "bad-account-signature",
            with_devices(PHONE_0, uncertified),
        ),
        ("numbers that descend", "list-not-ascending", with_devices(PHONE_0, TABLET_2, LAPTOP_1)),
        ("one device twice", "list-not-ascending", with_devices(PHONE_0, LAPTOP_1, LAPTOP_1)),
        ("one key pair under two numbers", "key-reused", with_devices(PHONE_0, LAPTOP_1, twin)),
        (
            "one agreement key under two numbers",
            "key-reused",
            with_devices(PHONE_0, LAPTOP_1, half_twin),
        ),
        (
            "next number that is in use",
            "list-bad-next-number",
            with_devices(PHONE_0, LAPTOP_1, TABLET_2, next_number=2),
        ),
        (
            "next number of the generation before",
            "list-bad-next-number",
            replace(recovered, next_number=1024).signed,
        ),
        (
            "low next number after recovery on one phone",
            "list-bad-next-number",
            replace(honest["same phone recovered"], next_number=2047).signed,
        ),
        (
            "phone of another generation",
            "wrong-generation",
            replace(first, generation=1, previous=b"\x01" * 32, next_number=1024).signed,
        ),
    ]


def alternatives(honest: dict[str, Draft]) -> dict[str, Draft]:
    """Return lists that are good by themselves but contradict the history."""
    second, third, fourth = (
        honest[name] for name in ("laptop linked", "tablet linked", "laptop logged out")
    )
    renewed, recovered = honest["renewed"], honest["new phone"]
    other_keys = certificate(ALICE, 2, COMPANION, 0, DESKTOP)
    same_keys_other_role = certificate(ALICE, 2, PRIMARY, 1, TABLET)
    thief = certificate(ALICE, 1025, PRIMARY, 1, STOLEN_PHONE)
    other_third = replace(third, day=third.day + 0.5)
    return {
        "third list, other time": other_third,
        "successor of the other third": after(other_third),
        "logged-out laptop returns": after(fourth, certificates=[PHONE_0, LAPTOP_1, TABLET_2]),
        "tablet with other keys": after(third, certificates=[PHONE_0, LAPTOP_1, other_keys]),
        "next number falls": after(
            honest["desktop linked"],
            certificates=[TABLET_2, PHONE_1024],
            next_number=1025,
        ),
        "second phone of generation one": replace(
            recovered, certificates=[TABLET_2, thief], next_number=1026, signer=STOLEN_PHONE
        ),
        "laptop returns with the new phone": replace(
            recovered, certificates=[LAPTOP_1, TABLET_2, PHONE_1024]
        ),
        "tablet becomes the phone": replace(
            recovered, certificates=[same_keys_other_role], signer=TABLET
        ),
        "new phone that saw less": replace(recovered, previous=second.hash),
        "renewed two days ahead": replace(renewed, day=10),
        "successor of the list ahead": after(replace(renewed, day=10), day=6),
    }


GENERATION_0 = ["phone alone", "laptop linked", "tablet linked", "laptop logged out", "renewed"]
EVERYTHING = [*GENERATION_0, "new phone", "desktop linked", "same phone recovered"]
FOLLOWED_RUNS = [
    (None, ["tablet linked"], "tablet linked", "first contact takes the newest"),
    (None, GENERATION_0, "renewed", "first contact with the whole history"),
    ("phone alone", ["laptop linked"], "laptop linked", "one step"),
    ("phone alone", EVERYTHING[1:], "same phone recovered", "every step"),
    ("tablet linked", EVERYTHING, "same phone recovered", "a run over what is held"),
    ("tablet linked", ["tablet linked"], "tablet linked", "nothing new"),
    ("tablet linked", GENERATION_0[:3], "tablet linked", "only known lists"),
    ("tablet linked", [], "tablet linked", "empty run"),
    ("tablet linked", ["new phone"], "new phone", "recovery over a gap"),
    (
        "tablet linked",
        ["new phone that saw less"],
        "new phone that saw less",
        "recovery that saw less",
    ),
    (
        "laptop linked",
        ["same phone recovered"],
        "same phone recovered",
        "two recoveries at once",
    ),
    (
        "laptop logged out",
        ["renewed two days ahead", "successor of the list ahead"],
        "successor of the list ahead",
        "a wrong clock that was corrected",
    ),
]
"""Held, run, result, name."""

REFUSED_RUNS = [
    (None, [], "list-missing", "first contact without a list"),
    ("tablet linked", ["laptop linked"], "list-rolled-back", "older version"),
    ("renewed", ["laptop logged out"], "list-rolled-back", "a lease put back"),
    ("renewed", ["renewed", "renewed"], "list-rolled-back", "a list twice"),
    ("new phone", ["renewed"], "list-rolled-back", "older generation"),
    ("new phone", ["desktop linked", "renewed"], "list-rolled-back", "older behind newer"),
    ("phone alone", ["tablet linked"], "list-gap", "a dropped list"),
    ("phone alone", ["tablet linked", "laptop linked"], "list-gap", "reordered lists"),
    ("tablet linked", ["desktop linked"], "list-gap", "recovery without its first list"),
    ("tablet linked", ["third list, other time"], "list-forked", "two third lists"),
    (
        "laptop linked",
        ["tablet linked", "third list, other time"],
        "list-forked",
        "two third lists in one run",
    ),
    (
        "tablet linked",
        ["successor of the other third"],
        "list-forked",
        "successor of another list",
    ),
    (
        "new phone",
        ["second phone of generation one"],
        "list-forked",
        "two phones in one generation",
    ),
    (
        "laptop logged out",
        ["logged-out laptop returns"],
        "list-number-reused",
        "a logged-out device returns",
    ),
    (
        "renewed",
        ["laptop returns with the new phone"],
        "list-number-reused",
        "a logged-out device returns at recovery",
    ),
    ("desktop linked", ["next number falls"], "list-number-reused", "next number falls"),
    ("tablet linked", ["tablet with other keys"], "list-device-changed", "swapped device"),
    ("renewed", ["tablet becomes the phone"], "list-device-changed", "changed role"),
    (
        "laptop logged out",
        ["renewed two days ahead"],
        "list-from-the-future",
        "issued over 24 hours ahead",
    ),
    (None, ["renewed two days ahead"], "list-from-the-future", "first contact with the future"),
]
"""Held, run, error, name."""


def runs() -> list[dict[str, object]]:
    """Return what happens to a verifier: what it holds, what comes, and the result."""
    now = START_MS + 8 * DAY_MS
    followed: list[dict[str, object]] = [
        {"name": name, "held": held, "run": run, "now": now, "result": result}
        for held, run, result, name in FOLLOWED_RUNS
    ]
    refused: list[dict[str, object]] = [
        {"name": name, "held": held, "run": run, "now": now, "error": error}
        for held, run, error, name in REFUSED_RUNS
    ]
    return followed + refused


def described(draft: Draft) -> dict[str, object]:
    """Describe one good list."""
    body, signature = draft.signed
    return {
        "generation": draft.generation,
        "version": draft.version,
        "next_number": draft.next_number,
        "issued_at": draft.fields[4],
        "expires_at": draft.fields[5],
        "signing_seed": draft.signer.signing_seed.hex(),
        "body": body.hex(),
        "signature": signature.hex(),
        "hash": draft.hash.hex(),
    }


def main() -> None:
    """Write the file."""
    honest = history()
    lists = {**honest, **alternatives(honest)}
    write(
        "device_list.json",
        {
            "about": "docs/spec/02-identity.md, Device list and Order of lists; hexadecimal bytes",
            "account_key": ALICE.key.hex(),
            "lists": {name: described(draft) for name, draft in lists.items()},
            "refused": [
                {"name": name, "error": error, "body": body.hex(), "signature": signature.hex()}
                for name, error, (body, signature) in broken(honest)
            ],
            "runs": runs(),
        },
    )


if __name__ == "__main__":
    main()
