"""Packets: many frames in one message, each read as if it had come alone."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections import deque

import msgspec
import pytest

from untether.base.errors import RemoteError
from untether.base.limits import FRAME_MAX, FRAMES_PER_PACKET_MAX, IN_FLIGHT_MAX, PACKET_MAX
from untether.wire import packets
from untether.wire.client_frames import FetchStatus, Request
from untether.wire.codec import encode
from untether.wire.packets import Unreadable, frames_of, packet_of, requests_of, take_frames

REQUESTS = [Request(token, FetchStatus()) for token in (1, 2, 3)]
FRAMES = [encode(request) for request in REQUESTS]
MALFORMED = b"\x92\x4d\x91\xa5hello"  # [77, ["hello"]]


def test_what_is_joined_is_cut_at_the_same_places() -> None:
    """Whatever the frames are."""
    assert frames_of(packet_of(FRAMES)) == FRAMES
    assert requests_of(packet_of(FRAMES)) == REQUESTS


def test_a_malformed_frame_changes_nothing_for_its_neighbours() -> None:
    """It is named by its token; one without a token is nobody's."""
    before, after = FRAMES[:1], FRAMES[1:]
    assert requests_of(packet_of([*before, MALFORMED, *after])) == [
        REQUESTS[0],
        Unreadable(77, "malformed"),
        *REQUESTS[1:],
    ]
    assert requests_of(packet_of([*before, b"\xc0", *after]))[1] == Unreadable(None, "malformed")


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x90",  # empty
        FRAMES[0],  # a frame without a packet
        packet_of(FRAMES)[:-1],
        packet_of(FRAMES) + b"\xc0",
        packet_of([FRAMES[0]] * FRAMES_PER_PACKET_MAX)[:3],
        packet_of([b"\x90"] * (FRAMES_PER_PACKET_MAX + 1)),
        b"\x91" * 5_000,
        b"\xdd\xff\xff\xff\xff" + bytes(1_000),
    ],
)
def test_what_is_no_packet_asks_nothing(packet: bytes) -> None:
    """Empty, cut short, too long, too deep, too many: nobody can be answered."""
    assert requests_of(packet)[0] == Unreadable(None, "malformed")


def test_a_packet_has_its_bound() -> None:
    """The largest frame fits into one; a byte more is not even looked at."""
    largest = b"\xc6" + (FRAME_MAX - 5).to_bytes(4, "big") + bytes(FRAME_MAX - 5)
    assert frames_of(packet_of([largest])) == [largest]
    with pytest.raises(RemoteError) as refused:
        frames_of(bytes(PACKET_MAX + 1))
    assert refused.value.code == "too-large"
    assert requests_of(bytes(PACKET_MAX + 1)) == [Unreadable(None, "too-large")]


def test_a_frame_has_its_bound() -> None:
    """The room that a packet has for its head is no room for a larger frame."""
    largest = b"\x92\x05\xc6" + (FRAME_MAX - 7).to_bytes(4, "big") + bytes(FRAME_MAX - 7)
    assert requests_of(packet_of([largest])) == [Unreadable(5, "malformed")]
    assert requests_of(packet_of([largest + b"\0"])) == [Unreadable(None, "too-large")]
    longer = b"\x92\x05\xc6" + (FRAME_MAX - 6).to_bytes(4, "big") + bytes(FRAME_MAX - 6)
    assert requests_of(packet_of([longer])) == [Unreadable(5, "too-large")]


def memory_for(packet: bytes) -> int:
    """Return how many bytes reading a packet takes at its worst, whatever comes of it."""
    tracemalloc.start()
    try:
        with contextlib.suppress(RemoteError):
            frames_of(packet)
        requests_of(packet)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


TINY = 100_000
BOMB = b"\xdd" + TINY.to_bytes(4, "big") + b"\x90" * TINY
"""A packet of so many frames of one byte each."""


@pytest.mark.parametrize("packet", [BOMB, b"\xdd\x7f\xff\xff\xff" + BOMB[5:]])
def test_a_bomb_takes_no_memory(packet: bytes) -> None:
    """The number of frames is checked before room is made for them, be it true or claimed."""
    assert memory_for(packet) < len(BOMB)


def test_twin_without_the_bound_a_bomb_takes_many_times_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Switched off: each byte becomes an object."""
    monkeypatch.setattr(packets, "_Frames", list[msgspec.Raw])
    assert memory_for(BOMB) > 50 * len(BOMB)


def test_a_sender_takes_what_fits() -> None:
    """Up to the number and up to the bytes, in order, and never nothing."""
    waiting = deque([b"\x01"] * (FRAMES_PER_PACKET_MAX + 2))
    assert len(take_frames(waiting)) == FRAMES_PER_PACKET_MAX
    assert len(take_frames(waiting)) == 2
    large = [bytes(FRAME_MAX - 1), b"\x01", b"\x02"]
    waiting = deque(large)
    assert [take_frames(waiting), take_frames(waiting)] == [large[:2], large[2:]]
    several = [bytes(FRAME_MAX // FRAMES_PER_PACKET_MAX)] * FRAMES_PER_PACKET_MAX
    assert len(packet_of(take_frames(deque(several)))) <= PACKET_MAX


def test_a_whole_packet_is_decided_at_once() -> None:
    """What one packet asks fits into what runs at a time."""
    assert FRAMES_PER_PACKET_MAX <= IN_FLIGHT_MAX
