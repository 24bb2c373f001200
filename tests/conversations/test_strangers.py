"""What somebody who is no contact can find out by writing to a person's devices."""

from __future__ import annotations

import pytest
from tests.conversations.forgeries import Forger
from tests.world import World, WorldDevice

from untether.device import senders
from untether.wire import codec
from untether.wire.client_frames import Request, SubmitDirect
from untether.wire.content import Kind, ListClaimQuestion, RatchetTurn, Text
from untether.wire.records import ListHead

NOBODY_S = ListHead(0, 1, bytes(32))
KINDS: list[Kind] = [Text("hello"), RatchetTurn(), ListClaimQuestion(NOBODY_S)]


def answers_to(mallory: WorldDevice, receivers: list[WorldDevice]) -> int:
    """Say all sorts of things, each naming another list of Alice's; count what comes back."""
    world, answers = mallory.world, 0
    honest = world.relay.take

    def take(link: object, data: bytes) -> None:
        nonlocal answers
        frame = codec.decode(data, Request, size_max=len(data)).frame
        if isinstance(frame, SubmitDirect) and frame.account_id == mallory.own.account_id:
            answers += 1
        honest(link, data)  # type: ignore[arg-type]

    world.relay.take = take  # type: ignore[method-assign]
    for receiver in receivers:
        forger = Forger(mallory, receiver)
        for version, kind in enumerate(KINDS, start=50):
            content = forger.content(kind)
            assumed = ListHead(0, version, bytes([version]) * 32)
            forger.deliver(
                forger.entry(
                    codec.encode(content),
                    content.message_id,
                    assumed_head=assumed,  # type: ignore[arg-type]
                )
            )
            world.pass_time(10_000)
    return answers


@pytest.fixture
def people() -> tuple[WorldDevice, list[WorldDevice]]:
    """Return Mallory's phone, and Alice's phone and laptop, to which Mallory is a stranger."""
    world = World()
    alice, mallory = world.register("alice"), world.register("mallory")
    laptop = world.link(alice, "laptop")
    mallory.send("alice", "hello")
    world.pass_time(10_000)
    return mallory, [alice, laptop]


def test_nothing_answers_a_stranger(people: tuple[WorldDevice, list[WorldDevice]]) -> None:
    """Whatever Mallory says, no device of Alice's shows that it is awake."""
    mallory, alices = people
    assert answers_to(mallory, alices) == 0
    assert "hello" in alices[0].texts()


def test_twin_that_knows_no_strangers_tells_which_devices_are_awake(
    people: tuple[WorldDevice, list[WorldDevice]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: each message that names another list is answered at once, by each device."""
    mallory, alices = people
    monkeypatch.setattr(senders, "is_stranger", lambda *_: False)
    assert answers_to(mallory, alices) >= len(KINDS) * len(alices)
