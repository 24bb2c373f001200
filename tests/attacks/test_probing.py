"""What somebody finds out about a person's devices by writing to them while nobody sees it."""

from __future__ import annotations

import pytest
from tests.attacks.defences import CLAIM_PAUSE, NO_WORD_TO_STRANGERS
from tests.attacks.wiretap import Wiretap
from tests.conversations.forgeries import Forger
from tests.world import World, WorldDevice

from untether.base.identifiers import MINUTE_MS
from untether.wire import codec
from untether.wire.content import Kind, ListClaimQuestion, RatchetTurn, Text
from untether.wire.records import ListHead

NOBODY_S = ListHead(0, 1, bytes(32))
SILENT: list[Kind] = [RatchetTurn(), ListClaimQuestion(NOBODY_S)]
PROBES = 200


def probe(mallory: WorldDevice, receiver: WorldDevice, kinds: list[Kind]) -> int:
    """Say things without end for an hour, each naming another list; count what comes back."""
    world, wiretap, forger = mallory.world, Wiretap(mallory.world), Forger(mallory, receiver)
    for number in range(PROBES):
        content = forger.content(kinds[number % len(kinds)])
        entry = forger.entry(
            codec.encode(content),
            content.message_id,
            assumed_head=ListHead(0, 50 + number, number.to_bytes(32, "big")),  # type: ignore[arg-type]
        )
        forger.deliver(entry)
        world.settle()
        world.pass_time(60 * MINUTE_MS // PROBES)
    answers = [one for one in wiretap.copies() if one.account_id == mallory.own.account_id]
    return len(answers)


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
    assert alice.texts().count("psst") == laptop.texts().count("psst") == PROBES // 3 + 1


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


def test_a_contact_learns_once_an_hour_without_being_seen(
    alice: WorldDevice, laptop: WorldDevice, mallory: WorldDevice
) -> None:
    """A question for proof, and an answer to one, leave each device once; nobody was bothered."""
    make_friends(alice, laptop, mallory)
    seen = alice.texts(), alice.notices()
    assert [probe(mallory, receiver, SILENT) for receiver in (alice, laptop)] == [2, 2]
    assert (alice.texts(), alice.notices()) == seen


def test_twin_without_the_pause_a_contact_watches_every_device(
    alice: WorldDevice, laptop: WorldDevice, mallory: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each probe is answered at once: who sleeps, who is up, and on which device."""
    make_friends(alice, laptop, mallory)
    CLAIM_PAUSE.switch_off(monkeypatch)
    assert min(probe(mallory, receiver, SILENT) for receiver in (alice, laptop)) >= PROBES
