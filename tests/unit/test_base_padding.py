"""Padding hides lengths and comes off cleanly (spec 05, "Padding")."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untether.base.errors import RemoteError
from untether.base.limits import BODY_PADDED_MIN
from untether.base.padding import pad, padme_length, unpad


@settings(max_examples=200, deadline=None)
@given(plaintext=st.binary(max_size=4_000), minimum=st.sampled_from([0, 64, BODY_PADDED_MIN]))
def test_what_was_padded_comes_back(plaintext: bytes, minimum: int) -> None:
    """Any plaintext survives, also one that looks like padding."""
    assert unpad(pad(plaintext, minimum)) == plaintext
    assert unpad(pad(plaintext + b"\x80\0\0", minimum)) == plaintext + b"\x80\0\0"


@settings(max_examples=300, deadline=None)
@given(length=st.integers(min_value=2, max_value=2**40))
def test_padme_costs_at_most_an_eighth(length: int) -> None:
    """A bucket is never shorter, adds less than 12 %, and rounding again changes nothing."""
    padded = padme_length(length)
    assert length <= padded <= length * 1.12 or padded - length < 2
    assert padme_length(padded) == padded


@settings(max_examples=200, deadline=None)
@given(shorter=st.integers(2, 2**20), longer=st.integers(2, 2**20))
def test_longer_is_never_shorter_padded(shorter: int, longer: int) -> None:
    """Buckets keep the order of lengths."""
    shorter, longer = sorted((shorter, longer))
    assert padme_length(shorter) <= padme_length(longer)


def test_few_buckets_hold_all_short_messages() -> None:
    """All that fits the smallest body looks alike, and 64 KiB has few lengths in all."""
    assert {len(pad(bytes(n), BODY_PADDED_MIN)) for n in range(BODY_PADDED_MIN)} == {
        BODY_PADDED_MIN
    }
    assert len({padme_length(n) for n in range(256, 65_536)}) < 200


@pytest.mark.parametrize("padded", [b"", b"\0\0\0", b"text", b"text\x80\0\x01", b"text\x80\0x"])
def test_what_is_no_padding_is_refused(padded: bytes) -> None:
    """No marker, or something after it that is not zero."""
    with pytest.raises(RemoteError) as refused:
        unpad(padded)
    assert refused.value.code == "bad-padding"
