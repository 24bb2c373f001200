"""Mail that a relay drops or turns round, and what people are told of it."""

from __future__ import annotations

from random import Random

import pytest
from tests.attacks.defences import COUNTERS, ORDER_OF_MESSAGES
from tests.attacks.lying_relay import push, take_mail
from tests.world import WorldDevice

from untether.base.identifiers import DeviceNumber, MessageId
from untether.base.limits import MISSING_TOLD_MS
from untether.device import events
from untether.device.store import messages
from untether.wire.server_frames import Entry

MESSAGES = 12


def messages_taken(alice: WorldDevice, bob: WorldDevice) -> list[Entry]:
    """Let Alice write to Bob, and the relay have all of it for itself; the last one is honest."""
    with take_mail(bob.world, bob) as taken:
        for number in range(MESSAGES):
            alice.send_to(bob.own.account_id, f"message {number}")
            bob.world.pass_time(1)
    return taken


def missing(device: WorldDevice) -> int:
    """Return how many messages a device's owner was told are missing."""
    told = device.happened(events.NoticePosted)
    return sum(int(one.details["count"]) for one in told if one.code == "messages-missing")


def printed_by_receive(device: WorldDevice) -> list[str]:
    """Return what the command line would print, in its order."""
    with device.database.transaction():
        return [one.text for one in messages.unprinted(device.database, 100)]


def planted(alice: WorldDevice) -> Entry:
    """Make up mail of a device that Alice might have: it waits for a list that never comes."""
    (first, *_) = alice.world.devices
    return Entry(
        stamp=first.own.acknowledged,  # type: ignore[arg-type]
        sender=alice.own.account_id,
        sender_device=DeviceNumber(9),
        accepted_at=alice.world.now,
        message_id=MessageId(bytes(16)),
        header=b"x",
        body=b"x",
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("distracts", [False, True], ids=["drops", "drops-and-distracts"])
def test_dropped_messages_are_missed(
    alice: WorldDevice, bob: WorldDevice, seed: int, distracts: bool
) -> None:
    """Whichever of twelve a relay drops, the next one tells how many, whatever it adds."""
    taken, chance = messages_taken(alice, bob), Random(seed)
    dropped = set(chance.sample(range(MESSAGES - 1), chance.randint(1, MESSAGES - 1)))
    brought = [entry for number, entry in enumerate(taken) if number not in dropped]
    push(bob, *([planted(alice)] if distracts else []), *brought)
    bob.world.pass_time(MISSING_TOLD_MS)
    assert missing(bob) == len(dropped)
    assert [text for text in bob.texts() if "message" in text] == [
        f"message {number}" for number in range(MESSAGES) if number not in dropped
    ]


def test_twin_without_counters_nobody_misses_anything(
    alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the sender's missing receipt would tell."""
    COUNTERS.switch_off(monkeypatch)
    push(bob, messages_taken(alice, bob)[-1])
    bob.world.pass_time(MISSING_TOLD_MS)
    assert bob.texts()[-1] == f"message {MESSAGES - 1}"
    assert (missing(bob), bob.notices()) == (0, [])


def test_turned_round_they_are_shown_in_order(alice: WorldDevice, bob: WorldDevice) -> None:
    """The last comes first: all are opened, in the order in which they were accepted."""
    push(bob, *reversed(messages_taken(alice, bob)))
    bob.world.pass_time(MISSING_TOLD_MS)
    wanted = [f"message {number}" for number in range(MESSAGES)]
    assert printed_by_receive(bob)[-MESSAGES:] == bob.texts()[-MESSAGES:] == wanted
    assert missing(bob) == 0


def test_twin_without_the_order_the_relay_decides_it(
    alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shown as they come, question and answer change places."""
    ORDER_OF_MESSAGES.switch_off(monkeypatch)
    push(bob, *reversed(messages_taken(alice, bob)))
    wanted = [f"message {number}" for number in range(MESSAGES)]
    assert printed_by_receive(bob)[-MESSAGES:] == wanted[::-1]
