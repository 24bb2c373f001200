"""Alice with a phone and four companions: everything everywhere, whether the phone is on or not."""

from __future__ import annotations

import pytest
from tests.conversations.link_steps import devices, numbers
from tests.world import World, WorldDevice

from untether.base.limits import RATCHET_ANSWER_JITTER_MS, RECEIPT_JITTER_MS

LABELS = ("laptop", "tablet", "browser", "desktop")


class Family:
    """Alice's five devices and Bob's two, in one world."""

    def __init__(self) -> None:
        self.world = World()
        self.phone = self.world.register("alice")
        self.companions = [self.world.link(self.phone, label) for label in LABELS]
        self.bob = self.world.register("bob")
        self.bobs_laptop = self.world.link(self.bob, "bob's laptop")

    @property
    def alices(self) -> list[WorldDevice]:
        """All of Alice's devices."""
        return [self.phone, *self.companions]

    @property
    def everyone(self) -> list[WorldDevice]:
        """All devices."""
        return [*self.alices, self.bob, self.bobs_laptop]

    def later(self) -> None:
        """Let a moment pass, so that the relay's times tell the order."""
        self.world.pass_time(1)

    def rest(self) -> None:
        """Let receipts and ratchet answers pass."""
        self.world.pass_time(4 * max(RECEIPT_JITTER_MS, RATCHET_ANSWER_JITTER_MS))

    def assert_relay_is_empty(self) -> None:
        """Check that no entry and no body is left at the relay."""
        rows = self.world.relay.store.partitions
        left = [name for name, held in rows.items() if held and name[0] in {"entries", "body"}]
        assert left == []


@pytest.fixture(scope="module")
def family() -> Family:
    """Return the family; each test looks at the newest messages only, so any order will do."""
    return Family()


def test_every_device_knows_all_five(family: Family) -> None:
    """Numbers, names and kinds are the same on each own device."""
    for device in family.alices:
        assert numbers(device) == [0, 1, 2, 3, 4]
        assert [view.name for view in devices(device)] == ["alice's phone", *LABELS]


def test_what_any_device_sends_is_on_all_of_both_people(family: Family) -> None:
    """Each of Alice's five devices writes once; all seven devices have all five messages."""
    for device in family.alices:
        family.later()
        message = device.send("bob", f"from {device.label}")
        assert message.state == "sent"
        assert message.devices == 6
    expected = [f"from {device.label}" for device in family.alices]
    for device in family.everyone:
        assert device.texts()[-5:] == expected
    family.later()
    family.bobs_laptop.send_to(family.phone.own.account_id, "hello you all")
    for device in family.everyone:
        assert device.history()[-1].text == "hello you all"
    orders = {tuple(device.texts()) for device in family.everyone}
    assert len(orders) == 1
    family.rest()
    family.assert_relay_is_empty()


def test_the_phone_is_off(family: Family) -> None:
    """Companions send, receive, and begin with a stranger; the phone gets all of it later."""
    world, laptop = family.world, family.companions[0]
    family.phone.disconnect()
    carol = world.register("carol")
    laptop.send("bob", "the phone is off")
    family.later()
    family.bob.send("alice", "i don't mind")
    family.later()
    laptop.send("carol", "we have not met")
    family.later()
    carol.send_to(laptop.own.account_id, "now we have")
    expected = ["the phone is off", "i don't mind", "we have not met", "now we have"]
    for device in family.companions:
        assert device.texts()[-4:] == expected
    assert carol.texts() == ["we have not met", "now we have"]
    family.phone.connect()
    assert family.phone.texts()[-4:] == expected
    family.rest()
    family.assert_relay_is_empty()


def test_a_companion_that_was_away_catches_up(family: Family) -> None:
    """While the phone is on and a companion off, nothing is lost for it either."""
    desktop = family.companions[-1]
    desktop.disconnect()
    family.phone.send("bob", "are you there?")
    family.later()
    family.bob.send("alice", "yes")
    desktop.connect()
    assert desktop.texts() == family.phone.texts()
    (question,) = [one for one in desktop.history() if one.text == "are you there?"]
    assert question.outgoing
    family.rest()
    family.assert_relay_is_empty()
