"""Hashes and derivations against published answers (spec 01, "Hashes")."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untether.crypto import hashes

_x = bytes.fromhex

HKDF_RFC5869 = [
    (
        b"\x0b" * 22,
        bytes(range(13)),
        bytes(range(0xF0, 0xFA)),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)),
        bytes(range(0x60, 0xB0)),
        bytes(range(0xB0, 0x100)),
        (
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
    ),
    (
        b"\x0b" * 22,
        b"",
        b"",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]


@pytest.mark.parametrize(("ikm", "salt", "info", "okm"), HKDF_RFC5869)
def test_hkdf_gives_the_answers_of_rfc_5869(ikm: bytes, salt: bytes, info: bytes, okm: str) -> None:
    """Appendix A, cases 1 to 3 (SHA-256)."""
    output = _x(okm)
    assert hashes.hkdf_sha256(salt=salt, ikm=ikm, info=info, length=len(output)) == output


def test_hkdf_ends_at_255_blocks() -> None:
    """The longest output is given, one byte more is refused."""
    assert len(hashes.hkdf_sha256(salt=b"", ikm=b"k", info=b"", length=255 * 32)) == 8_160
    with pytest.raises(ValueError, match="8,160"):
        hashes.hkdf_sha256(salt=b"", ikm=b"k", info=b"", length=255 * 32 + 1)


def test_blake2b_gives_the_published_answers() -> None:
    """RFC 7693 appendix A for 64 bytes; the reference's answers for "abc" when shorter."""
    assert hashes.keyed_blake2b_512(b"", b"abc") == _x(
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
        "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
    )
    assert hashes.blake2b_256(b"abc") == _x(
        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"
    )
    assert hashes.blake2b_128(b"abc") == _x("cf4ab791c62b8d2b2109c90275287816")


def test_keyed_blake2b_gives_the_answer_of_the_reference() -> None:
    """First keyed vector of the BLAKE2 reference: key 00 … 3f, empty input."""
    assert hashes.keyed_blake2b_512(bytes(range(64)), b"") == _x(
        "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
        "b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568"
    )


@settings(max_examples=50, deadline=None)
@given(parts=st.lists(st.binary(max_size=200), max_size=5), key=st.binary(max_size=64))
def test_parts_are_joined(parts: list[bytes], key: bytes) -> None:
    """Hashing parts is hashing their concatenation."""
    joined = b"".join(parts)
    assert hashes.blake2b_256(*parts, key=key) == hashes.blake2b_256(joined, key=key)
    assert hashes.blake2b_128(*parts) == hashes.blake2b_128(joined)


def test_iterated_sha512_follows_its_definition() -> None:
    """One round is SHA-512; the suffix enters with each further round."""
    first = hashlib.sha512(b"first").digest()
    second = hashlib.sha512(first + b"suffix").digest()
    assert hashes.iterated_sha512(b"first", b"suffix", 1) == first
    assert hashes.iterated_sha512(b"first", b"suffix", 2) == second
    assert hashes.iterated_sha512(b"first", b"suffix", 3) == (
        hashlib.sha512(second + b"suffix").digest()
    )


def test_equal_compares_contents() -> None:
    """Same bytes are equal, another byte or length is not."""
    assert hashes.equal(b"abc", b"abc")
    assert not hashes.equal(b"abc", b"abd")
    assert not hashes.equal(b"abc", b"abcd")
