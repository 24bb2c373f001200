"""Base32 for people and links (RFC 4648, lower case, no padding, one spelling only)."""

from __future__ import annotations

import base64
import binascii

from untether.base.errors import LocalError


def encode(data: bytes) -> str:
    """Spell bytes in lower-case base32 without padding."""
    return base64.b32encode(data).decode().rstrip("=").lower()


def decode(text: str) -> bytes:
    """Read what :func:`encode` wrote; any second spelling is refused (``bad-base32``)."""
    try:
        data = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError) as error:
        raise LocalError("bad-base32", "The text is not valid base32.") from error
    if encode(data) != text:
        raise LocalError("bad-base32", "The text is not in the one accepted spelling.")
    return data
