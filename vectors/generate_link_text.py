"""Write link_text.json: link texts that must be read, and texts that must be refused.

Independent of the product: standard library only. Run from the repository's root.
"""

from __future__ import annotations

import base64
import json
import sys
from hashlib import sha256
from pathlib import Path

ADDRESSES = (
    "https://relay.example.org",
    "http://localhost:8080",
    "http://127.0.0.1:8080",
    "https://[2001:db8::1]:8443",
    "https://a.very.long.relay.name.in.a.very.deep.domain.example.org:8443"[:66],
)


def stream(purpose: str, length: int) -> bytes:
    """Return reproducible bytes for one purpose."""
    return b"".join(
        sha256(f"link text {purpose} {block}".encode()).digest()
        for block in range(length // 32 + 1)
    )[:length]


def spell(fixed: bytes, address: str, version: str = "1") -> str:
    """Spell a link text from its parts."""
    middle = base64.urlsafe_b64encode(fixed).decode().rstrip("=")
    return f"untether://link/{version}/{middle}/{address}"


def valid() -> list[dict[str, str]]:
    """Return texts with the values in them."""
    cases = []
    for address in ADDRESSES:
        fixed = stream(address, 96)
        cases.append(
            {
                "text": spell(fixed, address),
                "relay_address": address,
                "relay_id": fixed[:16].hex(),
                "slot_id": fixed[16:32].hex(),
                "link_secret": fixed[32:64].hex(),
                "offer_hash": fixed[64:].hex(),
            }
        )
    return cases


def refused() -> list[dict[str, str]]:
    """Return texts with the code of their refusal."""
    fixed = stream("refused", 96)
    address = "https://relay.example.org"
    good = spell(fixed, address)
    malformed = {
        "empty": "",
        "another scheme": good.replace("untether:", "https:"),
        "upper-case scheme": good.replace("untether", "UNTETHER"),
        "not a link": good.replace("/link/", "/contact/"),
        "space in front": " " + good,
        "line end behind": good + "\n",
        "version zero": spell(fixed, address, "0"),
        "version with a leading zero": spell(fixed, address, "01"),
        "version in other digits": spell(fixed, address, "\u0661"),
        "version too long": spell(fixed, address, "1000"),
        "no version": good.replace("/1/", "/"),
        "one byte less": spell(fixed[:95], address),
        "one byte more": spell(fixed + b"x", address),
        "padding": good.replace("/https", "=/https"),
        "plain base64": good.replace(good[20], "+"),
        "no address": good.rsplit("/https", 1)[0],
        "empty address": good.rsplit("https", 1)[0],
        "address with a path": good + "/path",
        "address with a slash": good + "/",
        "address in upper case": good.replace("relay.", "Relay."),
        "address with a user": good.replace("relay.", "me@relay."),
        "another protocol": good.replace("https", "ftp"),
        "port with a leading zero": good + ":0443",
        "port too long": good + ":123456",
        "too long": spell(fixed, "https://" + 59 * "r"),
    }
    cases = [
        {"why": why, "text": text, "error": "link-text-malformed"}
        for why, text in malformed.items()
    ]
    newer = {"next version": spell(fixed, address, "2"), "other content": "untether://link/17/?"}
    cases += [
        {"why": why, "text": text, "error": "link-version-newer"} for why, text in newer.items()
    ]
    return cases


def main() -> None:
    """Write the file beside this script, or to the path given."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("link_text.json"))
    document = {
        "about": "docs/spec/03-linking.md, Link text",
        "valid": valid(),
        "refused": refused(),
    }
    target.write_text(json.dumps(document, indent=1, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
