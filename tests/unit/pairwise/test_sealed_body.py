"""Sealed bodies open only as they were sealed (spec 05, "Body")."""

from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.pairwise.two_key_ciphertext import collide

from untether.base.errors import LocalError, RemoteError
from untether.base.limits import BODY_MAX, BODY_PADDED_MIN
from untether.crypto import labels
from untether.crypto.hashes import blake2b_256
from untether.crypto.provider import provider
from untether.protocol import body
from untether.protocol.body import FORMAT, hash_body, open_body, seal_body

randomness = Random("bodies").randbytes
OVERHEAD = 61


@given(plaintext=st.binary(max_size=2_000))
@example(plaintext=b"")
@example(plaintext=b"\x80\0\0")
@settings(max_examples=60, deadline=None)
def test_what_was_sealed_comes_back(plaintext: bytes) -> None:
    """Any plaintext, also one that looks like padding, opens to itself."""
    key, name, sealed = seal_body(plaintext, randomness)
    assert open_body(sealed, body_key=key, body_hash=name) == plaintext


def test_short_bodies_have_one_length() -> None:
    """Nothing tells “yes” from “no, not today”."""
    lengths = {len(seal_body(bytes(length), randomness).sealed) for length in range(255)}
    assert lengths == {BODY_PADDED_MIN + OVERHEAD}


def test_every_body_has_its_own_key() -> None:
    """Sealing the same text twice gives unrelated bytes."""
    first, second = seal_body(b"same", randomness), seal_body(b"same", randomness)
    assert first.body_key != second.body_key
    assert first.sealed[-272:] != second.sealed[-272:]


def test_the_key_does_not_print_itself() -> None:
    """A log line with a sealed body holds no key."""
    sealed = seal_body(b"secret", randomness)
    assert sealed.body_key.hex() not in repr(sealed)
    assert "<secret, 32 bytes>" in repr(sealed)


def test_the_largest_body_fits_and_the_next_is_refused() -> None:
    """Padding decides: the bucket of 63,488 bytes is the last that fits."""
    largest = seal_body(bytes(63_487), randomness)
    assert len(largest.sealed) == 63_488 + OVERHEAD <= BODY_MAX
    with pytest.raises(LocalError) as caught:
        seal_body(bytes(63_488), randomness)
    assert caught.value.code == "body-too-large"


def test_every_changed_byte_is_noticed() -> None:
    """No byte of a sealed body is without meaning, even for one who may rename it."""
    key, name, sealed = seal_body(b"meet at nine", randomness)
    for index in range(len(sealed)):
        changed = sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :]
        with pytest.raises(RemoteError) as caught:
            open_body(changed, body_key=key, body_hash=name)
        assert caught.value.code == "body-swapped"
        with pytest.raises(RemoteError) as caught:
            open_body(changed, body_key=key, body_hash=hash_body(changed))
        assert caught.value.code in {"body-format", "body-uncommitted", "body-damaged"}


def test_a_cut_body_is_refused() -> None:
    """Shorter than its fixed parts, it is not a body at all."""
    for sealed in (b"", FORMAT, FORMAT + bytes(OVERHEAD - 2)):
        with pytest.raises(RemoteError) as caught:
            open_body(sealed, body_key=bytes(32), body_hash=hash_body(sealed))
        assert caught.value.code == "body-format"


def test_a_body_without_padding_is_refused() -> None:
    """A sender that pads wrongly is told from one that was changed on the way."""
    key, nonce = randomness(32), randomness(12)
    commitment = blake2b_256(labels.BODY_COMMITMENT, nonce, FORMAT, key=key)
    ciphertext = provider().aead_seal(key, nonce, bytes(256), FORMAT)
    sealed = FORMAT + commitment + nonce + ciphertext
    with pytest.raises(RemoteError) as caught:
        open_body(sealed, body_key=key, body_hash=hash_body(sealed))
    assert caught.value.code == "bad-padding"


def reseal(key: bytes, plaintext: bytes) -> bytes:
    """Seal another body under a known key, as a recipient could."""
    draws = iter([key, randomness(12)])
    return seal_body(plaintext, lambda _: next(draws)).sealed


def test_who_knows_the_key_cannot_swap_the_body() -> None:
    """A recipient helps the relay to show others something else: they refuse it."""
    key, name, _ = seal_body(b"I owe you 1", randomness)
    swapped = reseal(key, b"I owe you 1000")
    with pytest.raises(RemoteError) as caught:
        open_body(swapped, body_key=key, body_hash=name)
    assert caught.value.code == "body-swapped"


def test_without_the_hash_the_swap_would_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twin of the test above: it is the hash that stops the swap."""
    key, name, _ = seal_body(b"I owe you 1", randomness)
    swapped = reseal(key, b"I owe you 1000")
    monkeypatch.setattr(body, "hash_body", lambda _: name)
    assert open_body(swapped, body_key=key, body_hash=name) == b"I owe you 1000"


def two_faced_body() -> tuple[bytes, bytes, bytes]:
    """One sealed body whose ciphertext is valid under two keys, committed to the first."""
    first, second, nonce, ciphertext = collide(Random("two faces"), FORMAT)
    commitment = blake2b_256(labels.BODY_COMMITMENT, nonce, FORMAT, key=first)
    return FORMAT + commitment + nonce + ciphertext, first, second


def test_one_body_cannot_be_opened_with_two_keys() -> None:
    """A sender who gives two devices different keys for one ciphertext fails for the second."""
    sealed, _, second = two_faced_body()
    with pytest.raises(RemoteError) as caught:
        open_body(sealed, body_key=second, body_hash=hash_body(sealed))
    assert caught.value.code == "body-uncommitted"


def test_without_the_commitment_two_keys_would_open_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twin of the test above: ChaCha20-Poly1305 alone accepts both keys."""
    sealed, first, second = two_faced_body()
    monkeypatch.setattr(body, "_commitment", lambda *_: sealed[1:33])
    monkeypatch.setattr(body, "unpad", lambda padded: padded)
    name = hash_body(sealed)
    texts = {open_body(sealed, body_key=key, body_hash=name) for key in (first, second)}
    assert len(texts) == 2
