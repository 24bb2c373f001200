"""Packets: the frames of one WebSocket message (spec 08, "Transport").

A sender puts into a packet what waits at that moment, so that a busy connection pays for its
transport once for many frames. The receiver takes them as if each had come by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple, cast

import msgspec
from msgspec import Meta

from untether.base.errors import RemoteError
from untether.base.limits import FRAME_MAX, FRAMES_PER_PACKET_MAX, PACKET_MAX
from untether.wire.client_frames import Request
from untether.wire.codec import decode, encode

_LENGTHS = Meta(min_length=1, max_length=FRAMES_PER_PACKET_MAX)
_Requests = cast("type[list[Request]]", Annotated[list[Request], _LENGTHS])
_Frames = cast("type[list[msgspec.Raw]]", Annotated[list[msgspec.Raw], _LENGTHS])


class Unreadable(NamedTuple):
    """A request that can't be read, with its token if at least that can."""

    token: int | None
    code: str


def take_frames(waiting: deque[bytes]) -> list[bytes]:
    """Take from the left as many waiting frames as one packet may carry, at least one."""
    taken = [waiting.popleft()]
    room = FRAME_MAX - len(taken[0])
    while waiting and len(taken) < FRAMES_PER_PACKET_MAX and len(waiting[0]) <= room:
        taken.append(waiting.popleft())
        room -= len(taken[-1])
    return taken


def packet_of(frames: Iterable[bytes]) -> bytes:
    """Join encoded frames."""
    return encode([msgspec.Raw(frame) for frame in frames])


def frames_of(packet: bytes) -> list[bytes]:
    """Cut a packet into its frames; raises RemoteError ``malformed`` or ``too-large``."""
    return [bytes(frame) for frame in decode(packet, _Frames, size_max=PACKET_MAX)]


def requests_of(packet: bytes) -> Sequence[Request | Unreadable]:
    """Read the requests of a packet, each by itself if one of them can't be read.

    A packet that is no packet gives one unreadable request without a token.
    """
    code = "too-large"
    if len(packet) <= FRAME_MAX:  # then no frame in it is larger
        try:
            return decode(packet, _Requests, size_max=PACKET_MAX)
        except RemoteError as error:
            code = error.code
    try:
        return [_request(frame) for frame in frames_of(packet)]
    except RemoteError:
        return [Unreadable(None, code)]


def _request(frame: bytes) -> Request | Unreadable:
    try:
        return decode(frame, Request, size_max=FRAME_MAX)
    except RemoteError as error:
        return Unreadable(_token(frame), error.code)


def _token(frame: bytes) -> int | None:
    """Read the token of a request whose frame is malformed, if even that is there."""
    try:
        token, _frame = msgspec.msgpack.decode(frame, type=tuple[int, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return token if 0 <= token < 2**53 else None
