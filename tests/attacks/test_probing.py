"""What somebody finds out about a person's devices by writing to them while nobody sees it."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.attacks.defences import NO_WORD_TO_STRANGERS, SILENT_ANSWERS_ARE_FEW
from tests.attacks.wiretap import Wiretap
from tests.conversations.forgeries import Forger
from tests.world import World, WorldDevice

from untether.base.identifiers import MINUTE_MS, MessageId
from untether.base.limits import REPAIR_REQUESTS_PER_HOUR_MAX
from untether.wire import codec
from untether.wire.content import Kind, ListClaimQuestion, RatchetTurn, RepairRequest, Text
from untether.wire.records import ListHead

SILENT: list[Kind] = [
    RatchetTurn(),
    ListClaimQuestion(ListHead(0, 1, bytes(32))),
    RepairRequest((MessageId(b"never sent, ever"),)),
]
PROBES = 200
SILENT_ANSWERS = 2 + 2 * REPAIR_REQUESTS_PER_HOUR_MAX
"""A question and evidence about lists; refusals to send again, and requests to."""


def probe(mallory: WorldDevice, receiver: WorldDevice, kinds: list[Kind]) -> int:
    """Say things without end for an hour, each naming another list; count what comes back.

    Every other one is damaged, so that it is asked for again.
    """
    world, wiretap, forger = mallory.world, Wiretap(mallory.world), Forger(mallory, receiver)
    for number in range(PROBES):
        content = forger.content(kinds[number % len(kinds)])
        entry = forger.entry(
            codec.encode(content),
            content.message_id,
            assumed_head=ListHead(0, 50 + number, number.to_bytes(32, "big")),  # type: ignore[arg-type]
        )
        forger.deliver(structs.replace(entry, body=b"rubbish") if number % 2 else entry)
        world.settle()
        world.pass_time(60 * MINUTE_MS // PROBES)
    to_mallory = [one for one in wiretap.copies() if one.account_id == mallory.own.account_id]
    return sum(one.sender is receiver for one in to_mallory)


@pytest.fixture
def mallory(world: World, alice: WorldDevice, laptop: WorldDevice) -> WorldDevice:
    """Return the phone of Mallory, who has written to Alice once and got no answer."""
    phone = world.register("mallory")
    phone.send("alice", "hello")
    world.pass_time(10_000)
    return phone


@pytest.fixture
def laptop(alice: WorldDevice) -> WorldDevice:
    """Return Alice's laptop."""
    return alice.world.link(alice, "laptop")


def test_nothing_answers_a_stranger(
    alice: WorldDevice, laptop: WorldDevice, mallory: WorldDevice
) -> None:
    """Whatever Mallory says, visible or not, no device of Alice's shows that it is awake."""
    answers = [probe(mallory, receiver, [Text("psst"), *SILENT]) for receiver in (alice, laptop)]
    assert answers == [0, 0]
    assert alice.texts().count("psst") == laptop.texts().count("psst") > PROBES // 10


def test_twin_that_knows_no_strangers_tells_which_devices_are_awake(
    alice: WorldDevice, laptop: WorldDevice, mallory: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each device answers, for anybody who cares to watch it."""
    NO_WORD_TO_STRANGERS.switch_off(monkeypatch)
    assert min(probe(mallory, receiver, SILENT) for receiver in (alice, laptop)) >= 1


def make_friends(alice: WorldDevice, laptop: WorldDevice, mallory: WorldDevice) -> None:
    """Let Alice answer, from both of her devices: Mallory is a contact now."""
    for device in (alice, laptop):
        device.send("mallory", "who are you?")
    alice.world.pass_time(MINUTE_MS)


def test_a_contact_learns_little_without_being_seen(
    alice: WorldDevice, laptop: WorldDevice, mallory: WorldDevice
) -> None:
    """Answers that nobody sees leave each device a few times an hour, less than one a minute."""
    make_friends(alice, laptop, mallory)
    answers = [probe(mallory, receiver, SILENT) for receiver in (alice, laptop)]
    assert max(answers) <= SILENT_ANSWERS < 60
    assert alice.texts().count("who are you?") == laptop.texts().count("who are you?") == 2


def test_twin_without_the_limits_a_contact_watches_every_device(
    alice: WorldDevice, laptop: WorldDevice, mallory: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each probe is answered at once: who sleeps, who is up, and on which device."""
    make_friends(alice, laptop, mallory)
    SILENT_ANSWERS_ARE_FEW.switch_off(monkeypatch)
    assert min(probe(mallory, receiver, SILENT) for receiver in (alice, laptop)) >= PROBES
