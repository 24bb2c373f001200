"""Write login.json: login statements, their signatures, and signatures to refuse."""

from __future__ import annotations

from vectors.identity_builder import (
    COMPANION,
    account,
    certificate,
    device,
    pack,
    seed,
    sign,
    write,
)

ALICE, LAPTOP, TABLET = account("alice"), device("laptop"), device("tablet")
RELAY_ID = seed("relay")[:16]
NAMES = (
    "relay_id",
    "origin",
    "server_nonce",
    "client_nonce",
    "account_id",
    "device",
    "counter",
)
STATEMENT = [
    RELAY_ID,
    "https://relay.example.org",
    seed("server nonce"),
    seed("client nonce"),
    ALICE.id,
    1,
    7,
]


def described(statement: list[object]) -> dict[str, object]:
    """Name the fields of a statement."""
    return {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in zip(NAMES, statement, strict=True)
    }


def signature(statement: list[object], purpose: str = "login") -> bytes:
    """Sign a statement with the laptop's key."""
    return sign(LAPTOP.signing_seed, purpose, pack(statement))


def refused() -> list[dict[str, object]]:
    """Return signatures that do not log the laptop in."""
    changes: list[tuple[str, int, object]] = [
        ("another relay", 0, seed("another relay")[:16]),
        ("another origin", 1, "https://relay.example.com"),
        ("another server nonce", 2, seed("another server nonce")),
        ("another client nonce", 3, seed("another client nonce")),
        ("another counter", 6, 8),
    ]
    cases: list[tuple[str, str, list[object], bytes]] = [
        (
            f"signed for {name}",
            "bad-login-signature",
            list(STATEMENT),
            signature([*STATEMENT[:place], value, *STATEMENT[place + 1 :]]),
        )
        for name, place, value in changes
    ]
    other_device = [*STATEMENT[:5], 2, 7]
    other_account = [*STATEMENT[:4], account("bob").id, 1, 7]
    by_tablet = sign(TABLET.signing_seed, "login", pack(STATEMENT))
    cases += [
        ("names another device", "wrong-device", other_device, signature(other_device)),
        ("names another account", "wrong-device", other_account, signature(other_account)),
        ("signed by another device", "bad-login-signature", list(STATEMENT), by_tablet),
        (
            "signed under another label",
            "bad-login-signature",
            list(STATEMENT),
            signature(list(STATEMENT), "prekey"),
        ),
    ]
    return [
        {"name": name, "error": error, **described(statement), "signature": value.hex()}
        for name, error, statement, value in cases
    ]


def main() -> None:
    """Write the file."""
    body, by_account, by_device = certificate(ALICE, 1, COMPANION, 0, LAPTOP)
    highest = [*STATEMENT[:1], "http://localhost:8080", *STATEMENT[2:6], 2**53 - 1]
    write(
        "login.json",
        {
            "about": "docs/spec/02-identity.md, Login; bytes in hexadecimal",
            "account_key": ALICE.key.hex(),
            "signing_seed": LAPTOP.signing_seed.hex(),
            "certificate": {
                "body": body.hex(),
                "account_signature": by_account.hex(),
                "device_signature": by_device.hex(),
            },
            "accepted": [
                {
                    **described(statement),
                    "statement": pack(statement).hex(),
                    "signature": signature(statement).hex(),
                }
                for statement in (list(STATEMENT), highest)
            ],
            "refused": refused(),
        },
    )


if __name__ == "__main__":
    main()
