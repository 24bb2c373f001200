"""The whole table of content kinds and senders: exactly the permitted cells act."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.attacks.lying_relay import served_lists
from tests.conversations.forgeries import Forger
from tests.world import World, WorldDevice

from untether.base.identifiers import DeviceNumber, MessageId, UnixMillis
from untether.device import content_rules, events
from untether.device.senders import SenderKind
from untether.wire import codec
from untether.wire.content import (
    DeliveryReceipt,
    DeviceNotice,
    Kind,
    ListClaimQuestion,
    ListEvidence,
    RatchetTurn,
    RepairAnswer,
    RepairRefusal,
    RepairRequest,
    Text,
)
from untether.wire.records import ListHead


def _never_asked_for(device: WorldDevice) -> bytes:
    return codec.encode(Forger(device, device).content(Text("an answer to no question")))


SAMPLES: dict[type, Callable[[World, WorldDevice], Kind]] = {
    Text: lambda *_: Text("hello"),
    DeliveryReceipt: lambda *_: DeliveryReceipt((MessageId(bytes(16)),)),
    RatchetTurn: lambda *_: RatchetTurn(),
    ListClaimQuestion: lambda *_: ListClaimQuestion(ListHead(0, 1, bytes(32))),
    ListEvidence: lambda world, receiver: ListEvidence(
        served_lists(world, receiver.own.account_id).lists
    ),
    DeviceNotice: lambda *_: DeviceNotice(
        DeviceNumber(1), bytes(32), "laptop", "desktop", UnixMillis(1)
    ),
    RepairRequest: lambda *_: RepairRequest((MessageId(bytes(16)),)),
    RepairAnswer: lambda _, receiver: RepairAnswer(_never_asked_for(receiver)),
    RepairRefusal: lambda *_: RepairRefusal((MessageId(bytes(16)),)),
}

ANYBODY = {SenderKind.OTHER, SenderKind.OWN, SenderKind.OWN_PHONE}
PERMITTED: dict[type, set[SenderKind]] = {
    Text: ANYBODY,
    DeliveryReceipt: ANYBODY,
    RatchetTurn: ANYBODY,
    ListClaimQuestion: ANYBODY,
    ListEvidence: ANYBODY,
    DeviceNotice: {SenderKind.OWN, SenderKind.OWN_PHONE},
    RepairRequest: ANYBODY,
    RepairAnswer: ANYBODY,
    RepairRefusal: ANYBODY,
}
"""Written down a second time on purpose: whoever changes the rule must say so here too."""


def _forger(world: World, kind: SenderKind) -> Forger:
    alice, bob = world.register("alice"), world.register("bob")
    laptop = world.link(alice, "alice's laptop")
    tablet = world.link(alice, "alice's tablet")
    for sender in (bob, alice, laptop):
        sender.send("alice" if sender is bob else "bob", "hello")
    tablet.send("bob", "hello")
    world.pass_time(10_000)
    sender = {SenderKind.OTHER: bob, SenderKind.OWN: laptop, SenderKind.OWN_PHONE: alice}[kind]
    return Forger(sender, tablet)


def test_every_kind_of_content_has_its_row() -> None:
    """A new kind can't slip in without a decision on who may say it."""
    kinds = set(Kind.__args__)
    assert set(content_rules.RULES) == set(SAMPLES) == set(PERMITTED) == kinds


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("sender", SenderKind, ids=lambda kind: kind.name)
def test_exactly_the_permitted_cells_act(
    kind: type, sender: SenderKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed, delivered, opened: the act runs, or the message is refused as not allowed."""
    world = World()
    forger = _forger(world, sender)
    acted: list[SenderKind] = []
    allowed, act = content_rules.RULES[kind]

    def recording(context, who, *rest):  # type: ignore[no-untyped-def]
        acted.append(who.kind)
        return act(context, who, *rest)

    monkeypatch.setitem(content_rules.RULES, kind, (allowed, recording))
    tablet = forger.receiver
    seen = len(tablet.events)
    other = None if sender is SenderKind.OTHER else world.devices[1].own.account_id
    forger.say(forger.content(SAMPLES[kind](world, tablet), other))
    causes = [
        event.details["cause"]
        for event in tablet.events[seen:]
        if isinstance(event, events.NoticePosted) and event.code == "message-not-readable"
    ]
    if sender in PERMITTED[kind]:
        assert (acted, causes) == ([sender], ["not-asked"] if kind is RepairAnswer else [])
    else:
        assert (acted, causes) == ([], ["not-allowed"])


def test_a_companion_introduces_nobody_but_itself() -> None:
    """Alice's laptop can't rename her phone on the tablet's screen."""
    world = World()
    forger = _forger(world, SenderKind.OWN)
    bob = world.devices[1].own.account_id
    notice = DeviceNotice(DeviceNumber(0), bytes(32), "evil", "phone", UnixMillis(1))
    forger.say(forger.content(notice, bob))
    refused = forger.receiver.happened(events.NoticePosted)[-1]
    assert (refused.code, refused.details["cause"]) == ("message-not-readable", "not-allowed")


def test_twin_without_the_table_a_contact_names_my_devices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Switched off: Bob tells Alice's tablet what her laptop is called."""
    from tests.conversations.mishaps import query

    world = World()
    forger = _forger(world, SenderKind.OTHER)
    _, act = content_rules.RULES[DeviceNotice]
    monkeypatch.setitem(content_rules.RULES, DeviceNotice, (frozenset(SenderKind), act))
    notice = DeviceNotice(DeviceNumber(9), bytes(32), "evil", "desktop", UnixMillis(1))
    forger.say(forger.content(notice))
    names = query(forger.receiver, "SELECT name FROM own_device_notices WHERE device = 9")
    assert names == [("evil",)]
