"""Whatever a client sends: an answer, never an exception (spec 08, "Refusals")."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, get_args

import msgspec
import pytest
from tests.unit.relay.relay_desk import RelayDesk, RelayDevice, link
from tests.unit.relay.test_relay_login import all_frames

from untether.adapters.storage.relay_memory import MemoryRelayStore
from untether.base.errors import RemoteError
from untether.base.limits import FRAME_MAX
from untether.relay.budgets import Budgets
from untether.relay.principals import Bearer, Device, Guest
from untether.wire.client_frames import ClientFrame, Request
from untether.wire.codec import decode, encode
from untether.wire.server_frames import ServerFrame

EDGES = (0, 1, 2**31 - 1, 2**32 - 1, 2**53 - 1)


def variants(value: Any) -> Iterator[Any]:
    """Yield values like ``value`` with one part changed, removed or doubled."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            for other in variants(getattr(value, name)):
                yield msgspec.structs.replace(value, **{name: other})
    elif isinstance(value, tuple):
        yield ()
        yield value + value
        for place, part in enumerate(value):
            for other in variants(part):
                yield (*value[:place], other, *value[place + 1 :])
    elif isinstance(value, bytes):
        yield bytes(len(value))
        yield value[:-1] + bytes([value[-1] ^ 1])
        yield value + b"\0"
        yield value[1:]
    elif isinstance(value, int):
        yield from EDGES
    elif value is None:
        yield from (b"x" * 16, b"x" * 32, 1, ())
    else:
        yield None


def acceptable(frames: Iterator[Any]) -> Iterator[ClientFrame]:
    """Yield what the relay decodes; everything else never gets so far."""
    for frame in frames:
        with suppress(RemoteError):
            yield decode(encode(Request(1, frame)), Request, size_max=FRAME_MAX).frame


async def test_every_frame_with_one_part_changed_is_answered(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """Thousands of slightly wrong frames, from everybody: each gets a frame as its answer."""
    if not isinstance(desk.store, MemoryRelayStore):
        pytest.skip("the decisions are the same, and memory is quicker")
    await link(alice)
    for account in (alice, bob):
        await account.send(alice.person)
    answered = 0
    for frame in all_frames(alice, desk):
        for variant in acceptable(variants(frame)):
            for principal in (Guest("192.0.2.1"), Bearer(bob.address), Device(bob.address)):
                desk.budgets = Budgets()
                answer = await desk.ask(desk.session(principal), variant)
                assert isinstance(answer, get_args(ServerFrame))
                assert len(encode(answer)) <= FRAME_MAX
                answered += 1
    assert answered > 500
