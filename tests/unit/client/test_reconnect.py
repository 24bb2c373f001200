"""Reconnecting: at once, then jittered and bounded."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from untether.base.limits import RECONNECT_FIRST_MS, RECONNECT_MAX_MS
from untether.client.reconnect import reconnect_delay_ms


def test_the_first_try_comes_at_once() -> None:
    """A moment's loss costs no waiting."""
    assert reconnect_delay_ms(0, lambda _: b"\xff" * 4) == 0


@given(st.integers(1, 10_000), st.binary(min_size=4, max_size=4))
@settings(max_examples=50, deadline=None)
def test_the_delay_stays_between_half_the_bound_and_the_bound(failures: int, drawn: bytes) -> None:
    """Whatever is drawn and however often it failed, the wait is bounded on both sides."""
    bound = min(RECONNECT_MAX_MS, RECONNECT_FIRST_MS * 2 ** min(failures - 1, 40))
    assert bound // 2 <= reconnect_delay_ms(failures, lambda _: drawn) <= bound


def test_the_jitter_reaches_both_ends() -> None:
    """Devices of a restarted relay spread over half the bound."""
    assert reconnect_delay_ms(1, lambda _: b"\0" * 4) == RECONNECT_FIRST_MS // 2
    assert reconnect_delay_ms(1, lambda _: b"\xff" * 4) == RECONNECT_FIRST_MS
