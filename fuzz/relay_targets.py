"""The relay, fed with hostile frames of guests and of its own devices (spec 08).

Whatever comes, the answer is a frame; a refusal changed no row.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

from tests.world_relay import run as run_coroutine

from fuzz import script, story
from fuzz.harness import Case, expect
from fuzz.script import Script
from fuzz.shortcuts import signatures_hold
from untether.adapters.storage.relay_memory import MemoryRelayStore
from untether.base.identifiers import DeviceAddress
from untether.base.limits import FRAME_MAX
from untether.relay.budgets import Budgets
from untether.relay.delivery import next_deliveries
from untether.relay.principals import Bearer, Device, Guest, Principal
from untether.relay.requests import handle
from untether.relay.session import RelaySession
from untether.wire.client_frames import Request
from untether.wire.codec import decode, encode
from untether.wire.server_frames import Answer, Refused, ServerFrame

FRAMES_MAX = 4
"""Of one input; each is decided on what the ones before it left."""

WINDOW = 8


def _principals(told: story.Story) -> list[Principal]:
    owns = [device.own for device in (told.bob, told.alice, told.tablet, told.desktop)]
    laptop = told.laptop.own
    return [
        Guest("192.0.2.1"),
        Bearer(DeviceAddress(laptop.account_id, laptop.device)),
        *(Device(DeviceAddress(own.account_id, own.device)) for own in owns),
    ]


@contextmanager
def requests() -> Iterator[Case]:
    """Some frames on one connection, of whomever it is."""
    told = story.tell()
    genuine, principals = told.requests, _principals(told)
    relay = told.world.relay
    partitions = dict(relay.store.partitions)

    def build(data: bytes) -> tuple[Principal, list[bytes]]:
        steps = Script(data)
        principal = principals[steps.byte() % len(principals)]
        count = 1 + steps.byte() % FRAMES_MAX
        return principal, [script.message(steps, genuine) for _ in range(count)]

    def read(built: tuple[Principal, list[bytes]]) -> object:
        principal, frames = built
        session = RelaySession(relay.rules, Budgets(), bytes(32), principal)
        store = MemoryRelayStore(partitions)
        for frame in frames:
            session = _ask(told, store, session, frame)
        return session

    with signatures_hold():
        plain = [b"\0" + script.plain(number) for number in range(len(genuine))]
        yield Case(build, read, [bytes([n]) + one for n in range(len(principals)) for one in plain])


def _ask(
    told: story.Story, store: MemoryRelayStore, session: RelaySession, data: bytes
) -> RelaySession:
    """Let the relay decide one frame, and check what it says and what it changed."""
    frame = decode(data, Request, size_max=FRAME_MAX).frame
    before = dict(store.partitions)
    outcome = run_coroutine(handle(store, session, frame, told.world.now, _draw))
    answer = encode(Answer(1, outcome.answer))
    expect(isinstance(outcome.answer, get_args(ServerFrame)), "the answer is no frame")
    expect(len(answer) <= FRAME_MAX, "the answer is longer than a frame may be")
    expect(
        decode(answer, Answer, size_max=FRAME_MAX).frame == outcome.answer,
        "the answer is one that no device understands",
    )
    if isinstance(outcome.answer, Refused):
        expect(store.partitions == before, "a refusal changed rows")
    principal = outcome.session.principal
    if isinstance(principal, Device):
        mail = run_coroutine(next_deliveries(store, principal.address, None, WINDOW))
        expect(len(encode(Answer(0, mail))) <= FRAME_MAX, "a push is longer than a frame may be")
    return outcome.session


def _draw(length: int) -> bytes:
    return b"\x42" * length
