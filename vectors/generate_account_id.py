"""Write account_id.json: account keys and the ids that they hash to."""

from __future__ import annotations

from vectors.identity_builder import account, write


def main() -> None:
    """Write the file."""
    people = [account(name) for name in ("alice", "bob", "mallory")]
    write(
        "account_id.json",
        {
            "about": "docs/spec/02-identity.md, Account; bytes in hexadecimal",
            "accounts": [
                {
                    "account_seed": person.seed.hex(),
                    "account_key": person.key.hex(),
                    "account_id": person.id.hex(),
                }
                for person in people
            ],
        },
    )


if __name__ == "__main__":
    main()
