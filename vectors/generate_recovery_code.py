"""Write recovery_code.json: codes, the ways people type them, and mistakes with their hints."""

from __future__ import annotations

from base64 import b32encode

from vectors.identity_builder import blake, label, seed, write

SEED = seed("account alice")


def code(account_seed: bytes) -> str:
    """Spell a seed with its checksum in groups of four."""
    checksum = blake(32, label("recovery-code"), account_seed)[:3]
    letters = b32encode(account_seed + checksum).decode().lower()
    return "-".join(letters[start : start + 4] for start in range(0, 56, 4))


def other_letter(letter: str) -> str:
    """Return another letter of the alphabet."""
    return "b" if letter == "a" else "a"


def mistakes() -> list[dict[str, str]]:
    """Return texts to refuse, and a part of the hint that helps."""
    good = code(SEED)
    groups = good.split("-")
    wrong = other_letter(groups[4][2])
    fifth = groups[4][:2] + wrong + groups[4][3:]
    two_wrong = other_letter(good[0]) + good[1:-1] + other_letter(good[-1])
    place = next(i for i in range(20, 55) if good[i] != good[i + 1] and "-" not in good[i : i + 2])
    swapped = good[:place] + good[place + 1] + good[place] + good[place + 2 :]
    texts = [
        ("empty", "", "56 are missing"),
        ("one missing", good[:-1], "1 are missing"),
        ("two too many", good + "aa", "2 are too many"),
        ("zero typed", "0" + good[1:], "Group 1 has a character that no code has. There is no 0"),
        (
            "eight typed",
            good[:-1] + "8",
            "Group 14 has a character that no code has. There is no 8",
        ),
        ("umlaut typed", "ä" + good[1:], "Group 1 has a character that no code has."),
        ("one letter wrong", "-".join([*groups[:4], fifth, *groups[5:]]), "Group 5 seems"),
        ("two letters swapped", swapped, f"Group {place // 5 + 1} seems"),
        ("two letters wrong", two_wrong, "More than one character"),
    ]
    return [
        {"name": name, "text": text, "error": "bad-recovery-code", "hint": hint}
        for name, text, hint in texts
    ]


def main() -> None:
    """Write the file."""
    good = code(SEED)
    write(
        "recovery_code.json",
        {
            "about": "docs/spec/02-identity.md, Recovery code; seeds in hexadecimal",
            "codes": [
                {"account_seed": one.hex(), "code": code(one)}
                for one in (SEED, bytes(32), b"\xff" * 32)
            ],
            "spellings": [
                {"account_seed": SEED.hex(), "text": text}
                for text in (
                    good,
                    good.upper(),
                    good.replace("-", ""),
                    good.replace("-", " "),
                    "  " + good.replace("-", "\n") + "\n",
                )
            ],
            "refused": mistakes(),
        },
    )


if __name__ == "__main__":
    main()
