"""Padding to Padmé buckets, so that a length tells little (spec 05, "Padding").

Padmé (Nikitin et al., PETS 2019, algorithm 1) leaks O(log log n) bits of the length for at
most 12 % of extra bytes. A marker byte 0x80 and zeros follow the plaintext.
"""

from __future__ import annotations

from untether.base.errors import RemoteError

_MARKER = b"\x80"


def padme_length(length: int) -> int:
    """Round ``length`` (bytes, at least 2) up to its Padmé bucket."""
    exponent = length.bit_length() - 1
    mantissa_bits = exponent.bit_length()
    mask = (1 << max(0, exponent - mantissa_bits)) - 1
    return (length + mask) & ~mask


def pad(plaintext: bytes, minimum: int) -> bytes:
    """Pad to a Padmé bucket of at least ``minimum`` bytes."""
    length = max(minimum, padme_length(max(2, len(plaintext) + 1)))
    return plaintext + _MARKER + bytes(length - len(plaintext) - 1)


def unpad(padded: bytes) -> bytes:
    """Undo :func:`pad`; raises RemoteError ``bad-padding`` when it is not such a padding."""
    plaintext, marker, zeros = padded.rpartition(_MARKER)
    if not marker or zeros.strip(b"\0"):
        raise RemoteError("bad-padding", "The padding of a message is broken.")
    return plaintext
