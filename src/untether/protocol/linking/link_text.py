"""The text inside the QR code (spec 03, "Link text").

``untether://link/1/<128 characters>/<relay address>``. The middle is base64url of exactly
96 bytes (relay id ‖ slot id ‖ link secret ‖ offer hash): a multiple of three, so there is no
padding and there are no spare bits, and each value has one spelling. The address stays plain,
where a character costs one character and a person can read it; it is for display only.
"""

from __future__ import annotations

import base64
import re
from typing import Final, Self

from msgspec import Struct

from untether.base.errors import LocalError
from untether.base.identifiers import RelayId, SlotId
from untether.base.limits import LINK_ADDRESS_MAX, LINK_TEXT_MAX
from untether.base.secret_bytes import SecretBytes
from untether.protocol.linking.failures import link_error

LINK_VERSION: Final = 1
LINK_PREFIX: Final = "untether://link/"
_ADDRESS: Final = (
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[1-9][0-9]{0,4})?"
)
_VERSIONED: Final = re.compile(r"untether://link/([1-9][0-9]{0,2})/.*", re.ASCII | re.DOTALL)
_VERSION_1: Final = re.compile(rf"untether://link/1/([A-Za-z0-9_-]{{128}})/({_ADDRESS})", re.ASCII)


class LinkText(Struct, frozen=True):
    """What the companion shows and the phone scans."""

    relay_address: str
    relay_id: RelayId
    slot_id: SlotId
    link_secret: SecretBytes
    offer_hash: bytes

    def to_text(self) -> str:
        """Spell the text; LocalError ``bad-relay-address`` when the address can't stand in it."""
        if len(self.relay_address) > LINK_ADDRESS_MAX or not re.fullmatch(
            _ADDRESS, self.relay_address
        ):
            raise LocalError(
                "bad-relay-address",
                f"“{self.relay_address[:80]}” can't stand in a link code.",
                "Use an address such as https://relay.example.org with at most "
                f"{LINK_ADDRESS_MAX} characters, in lower case and without a path.",
            )
        fixed = self.relay_id + self.slot_id + self.link_secret + self.offer_hash
        middle = base64.urlsafe_b64encode(fixed).decode()
        return f"{LINK_PREFIX}{LINK_VERSION}/{middle}/{self.relay_address}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a link text; LocalError ``link-version-newer`` or ``link-text-malformed``."""
        versioned = _VERSIONED.fullmatch(text)
        if versioned and int(versioned[1]) > LINK_VERSION:
            raise link_error("link-version-newer")
        parts = _VERSION_1.fullmatch(text[: LINK_TEXT_MAX + 1])
        if parts is None or len(text) > LINK_TEXT_MAX:
            raise link_error("link-text-malformed")
        fixed = base64.urlsafe_b64decode(parts[1])
        return cls(
            relay_address=parts[2],
            relay_id=RelayId(fixed[:16]),
            slot_id=SlotId(fixed[16:32]),
            link_secret=SecretBytes(fixed[32:64]),
            offer_hash=fixed[64:],
        )
