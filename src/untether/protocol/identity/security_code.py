"""Security codes: two people compare their account keys (spec 02, "Security code").

Sixty digits, thirty for each side, the smaller side first, so both see the same. They cover
account keys only: linking and logging out devices does not change them. The QR text holds the
same fingerprints at full strength, and the newest list heads that its side holds of both
accounts: comparing it also shows whether a relay gives the two sides different lists.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal

from msgspec import Struct

from untether.base import base32
from untether.base.errors import LocalError, RemoteError, TrustError
from untether.base.limits import SECURITY_QR_MAX
from untether.crypto import hashes, labels
from untether.protocol.identity.account import account_id
from untether.wire.codec import Record, decode_canonical, encode
from untether.wire.fields import Bytes32
from untether.wire.records import ListHead

SECURITY_QR_PREFIX: Final = "untether://compare/"

_TEXT_MAX: Final = len(SECURITY_QR_PREFIX) + 8 * SECURITY_QR_MAX // 5  # characters of base32
_ROUNDS: Final = 5_200  # about 100 bits for 30 digits, with 2¹² of work for each guess
_FINGERPRINT_LENGTH: Final = 32
_CHUNKS: Final = 6
_CHUNK_LENGTH: Final = 5
_DIGITS: Final = 5


class SecurityQr(Record, frozen=True):
    """What a security QR shows: its owner's side first."""

    version: Literal[1]
    own_fingerprint: Bytes32
    other_fingerprint: Bytes32
    own_head: ListHead
    other_head: ListHead


class ListComparison(Enum):
    """How the device list held here compares with the one that the other side holds."""

    SAME = "same"
    NEWER_HERE = "newer-here"
    NEWER_THERE = "newer-there"


class Side(Struct, frozen=True):
    """One account of a comparison: its key, and the newest list head held of it."""

    account_key: bytes
    head: ListHead


class SecurityComparison(Struct, frozen=True):
    """The keys fit; how the lists of both accounts compare. Older lists are to be fetched."""

    own_list: ListComparison
    other_list: ListComparison


def security_code(a_key: bytes, b_key: bytes) -> str:
    """Return the 60 digits of two account keys; the order of the two does not matter."""
    if a_key == b_key:
        raise LocalError("same-account", "There is no security code with yourself.")
    return "".join(sorted(_digits(account_fingerprint(key)) for key in (a_key, b_key)))


def format_security_code(code: str) -> str:
    """Group the digits in fives for people."""
    return " ".join(code[start : start + _DIGITS] for start in range(0, len(code), _DIGITS))


def account_fingerprint(account_key: bytes) -> bytes:
    """Return 32 bytes of SHA-512 iterated 5,200 times over (account key, account id)."""
    first = labels.SECURITY_CODE + account_key + account_id(account_key)
    return hashes.iterated_sha512(first, account_key, _ROUNDS)[:_FINGERPRINT_LENGTH]


def security_qr_text(own: Side, other: Side) -> str:
    """Return the text of the QR that the other person scans."""
    shown = SecurityQr(
        version=1,
        own_fingerprint=account_fingerprint(own.account_key),
        other_fingerprint=account_fingerprint(other.account_key),
        own_head=own.head,
        other_head=other.head,
    )
    return SECURITY_QR_PREFIX + base32.encode(encode(shown))


def compare_security_qr(text: str, own: Side, other: Side) -> SecurityComparison:
    """Compare a QR scanned from the other person's screen with what is held here.

    Raises LocalError ``not-a-security-qr``, TrustError ``security-code-differs`` when a key is
    another one, and TrustError ``security-lists-differ`` when one place in the order of lists
    holds two different lists, which proves that somebody is lied to.
    """
    shown = _read(text)
    theirs = (shown.other_fingerprint, shown.own_fingerprint)
    ours = (account_fingerprint(own.account_key), account_fingerprint(other.account_key))
    if theirs != ours:
        raise TrustError(
            "security-code-differs",
            "The security code differs: this is not the account that is known here.",
            "Do not mark this contact as verified; send nothing secret.",
        )
    return SecurityComparison(
        own_list=_compare_heads(own.head, shown.other_head),
        other_list=_compare_heads(other.head, shown.own_head),
    )


def _read(text: str) -> SecurityQr:
    try:
        if not text.startswith(SECURITY_QR_PREFIX) or len(text) > _TEXT_MAX:
            raise RemoteError("malformed", "It is no text of a security code.")
        data = base32.decode(text.removeprefix(SECURITY_QR_PREFIX))
        return decode_canonical(data, SecurityQr, size_max=SECURITY_QR_MAX)
    except (LocalError, RemoteError) as error:
        raise LocalError(
            "not-a-security-qr",
            "This is not the QR code of a security code.",
            "Scan the one on the other person's security code screen.",
        ) from error


def _compare_heads(here: ListHead, there: ListHead) -> ListComparison:
    if here == there:
        return ListComparison.SAME
    place_here, place_there = (here.generation, here.version), (there.generation, there.version)
    if place_here == place_there:
        raise TrustError(
            "security-lists-differ",
            "The relay shows the two of you different device lists.",
            "Send nothing until the owner of the account has looked at its devices.",
        )
    return ListComparison.NEWER_HERE if place_here > place_there else ListComparison.NEWER_THERE


def _digits(fingerprint: bytes) -> str:
    chunks = (
        int.from_bytes(fingerprint[start : start + _CHUNK_LENGTH])
        for start in range(0, _CHUNKS * _CHUNK_LENGTH, _CHUNK_LENGTH)
    )
    return "".join(f"{chunk % 10**_DIGITS:0{_DIGITS}d}" for chunk in chunks)
