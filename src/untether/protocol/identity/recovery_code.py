"""The recovery code: the account seed for paper (spec 02, "Recovery code").

Base32 of seed ‖ checksum is exactly 56 characters, shown as fourteen groups of four. The
checksum (24 bits) finds typing errors; it never corrects them, since a corrected code that is
still wrong would open nothing and explain nothing. It does tell *where* to look again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from untether.base import base32
from untether.base.errors import LocalError
from untether.base.limits import RECOVERY_TEXT_MAX
from untether.base.secret_bytes import SecretBytes
from untether.crypto import hashes, labels
from untether.protocol.identity.keys import SEED_LENGTH

_CHECKSUM_LENGTH: Final = 3
_GROUP: Final = 4
_LENGTH: Final = 56
_LETTER_BITS: Final = 5
_LETTER: Final = 2**_LETTER_BITS - 1
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
_LOOK_ALIKE: Final = {"0": "o", "1": "i or l", "8": "b", "9": "g"}


def encode_recovery_code(seed: bytes) -> str:
    """Spell an account seed (32 bytes): ``abcd-efgh-…``, 14 groups."""
    if len(seed) != SEED_LENGTH:
        raise LocalError("bad-seed", f"An account seed has {SEED_LENGTH} bytes.")
    letters = base32.encode(seed + _checksum(seed))
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def decode_recovery_code(text: str) -> SecretBytes:
    """Read a recovery code; case, spaces, line breaks and dashes do not matter.

    Raises LocalError ``bad-recovery-code`` whose hint says what kind of mistake it is.
    """
    if len(text) > RECOVERY_TEXT_MAX:
        raise _refusal(f"It has {_LENGTH} characters; this text has {len(text)}.")
    letters = "".join(text.split()).replace("-", "").lower()
    for place, letter in enumerate(letters):
        if letter not in _ALPHABET:
            raise _refusal(f"{_group(place)} has a character that no code has.{_guess(letter)}")
    if len(letters) != _LENGTH:
        difference = abs(len(letters) - _LENGTH)
        word = "missing" if len(letters) < _LENGTH else "too many"
        raise _refusal(f"It has {_LENGTH} characters; {difference} are {word}.")
    data = base32.decode(letters)
    if not _holds(data):
        raise _refusal(_where_to_look(data))
    return SecretBytes(data[:SEED_LENGTH])


def _checksum(seed: bytes) -> bytes:
    return hashes.blake2b_256(labels.RECOVERY_CODE, seed)[:_CHECKSUM_LENGTH]


def _holds(data: bytes) -> bool:
    return hashes.equal(_checksum(data[:SEED_LENGTH]), data[SEED_LENGTH:])


def _refusal(hint: str) -> LocalError:
    return LocalError("bad-recovery-code", "This is not a valid recovery code.", hint)


def _group(place: int) -> str:
    return f"Group {place // _GROUP + 1}"


def _guess(letter: str) -> str:
    looks_like = _LOOK_ALIKE.get(letter)
    return f" There is no {letter} in codes; is it {looks_like}?" if looks_like else ""


def _where_to_look(data: bytes) -> str:
    """Name the group if one wrong letter or one swapped pair explains the checksum."""
    for place, candidate in _one_mistake_away(int.from_bytes(data, "big")):
        if _holds(candidate.to_bytes(len(data), "big")):
            return f"{_group(place)} seems to hold a typing mistake; compare it with the paper."
    return "More than one character is wrong; compare every group with the paper."


def _one_mistake_away(code: int) -> Iterator[tuple[int, int]]:
    """Change each letter of a code to each other one, and swap each with the next."""
    for place in range(_LENGTH):
        shift = _LETTER_BITS * (_LENGTH - 1 - place)
        for change in range(1, 2**_LETTER_BITS):
            yield place, code ^ (change << shift)
    for place in range(_LENGTH - 1):
        shift = _LETTER_BITS * (_LENGTH - 2 - place)
        left, right = code >> (shift + _LETTER_BITS) & _LETTER, code >> shift & _LETTER
        change = left ^ right
        yield place, code ^ (change << shift) ^ (change << (shift + _LETTER_BITS))
