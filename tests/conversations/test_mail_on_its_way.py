"""What a device wrote before it was logged out, for people who had never heard from it."""

from __future__ import annotations

import pytest
from tests.attacks.lying_relay import say_mailboxes_are_empty
from tests.conversations.forgeries import Forger
from tests.world import World, WorldDevice

from untether.base.identifiers import DAY_MS
from untether.device import directory, inputs
from untether.device.context import Context
from untether.device.store import own_lists, peers
from untether.wire.content import Text
from untether.wire.records import AccountLists


@pytest.fixture
def world() -> World:
    """Return an empty world."""
    return World()


@pytest.fixture
def alice(world: World) -> WorldDevice:
    """Return Alice's phone."""
    return world.register("alice")


@pytest.fixture
def bob(world: World, alice: WorldDevice) -> WorldDevice:
    """Return Bob's phone; he and Alice have written to each other."""
    phone = world.register("bob")
    phone.send("alice", "hello")
    alice.send("bob", "hello Bob")
    return phone


def test_first_mail_of_a_listed_device_is_opened(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Bob knows the laptop by its list only, and hears of its log-out before its mail comes."""
    laptop = world.link(alice, "laptop")
    alice.send("bob", "I have a laptop")
    bob.disconnect()
    laptop.send("bob", "from the laptop")
    alice.log_out(laptop)
    bob.connect(receiving=False)
    bob.send("alice", "to the phone")
    bob.feed(inputs.StartMail())
    world.settle()
    assert bob.texts()[-2:] == ["from the laptop", "to the phone"]
    assert bob.notices().count("removed-device-wrote") == 1
    assert "message-lost" not in bob.notices()
    world.pass_time(DAY_MS)
    assert [one.state for one in alice.history() if one.text == "from the laptop"] == ["delivered"]


def test_first_mail_of_a_device_that_came_and_went_is_opened(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """All that Bob ever sees of the laptop is in the lists between: they vouch for it as well."""
    tablet = world.link(alice, "tablet")
    for device in (bob, tablet):
        device.disconnect()
    laptop = world.link(alice, "laptop")
    laptop.send("bob", "from the laptop")
    alice.log_out(laptop)
    for device in (bob, tablet):
        device.connect()
        assert device.texts()[-1] == "from the laptop"
        assert device.notices().count("removed-device-wrote") == 1
    assert tablet.history()[-1].outgoing


def test_first_mail_of_a_device_that_resigned_is_opened(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """A device that logs itself out takes nothing back that it has said."""
    bob.disconnect()
    laptop = world.link(alice, "laptop")
    alice.disconnect()
    laptop.send("bob", "from the laptop")
    laptop.feed(inputs.Resign())
    world.settle()
    bob.connect()
    assert bob.texts()[-1] == "from the laptop"
    assert bob.notices().count("removed-device-wrote") == 1


def test_a_stranger_s_device_that_is_gone_is_named(world: World, alice: WorldDevice) -> None:
    """Carol has never held a list with the laptop: nothing vouches for it, and she is told."""
    carol = world.register("carol")
    carol.disconnect()
    laptop = world.link(alice, "laptop")
    sent = laptop.send("carol", "from the laptop")
    alice.log_out(laptop)
    carol.connect()
    world.pass_time(DAY_MS)
    assert carol.texts() == []
    assert carol.notices() == ["message-lost"]
    assert [one.state for one in alice.history()] == [sent.state] == ["sent"]


def test_a_thief_can_start_anew_until_the_drain_only(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """What its thief and the relay bring after that is no mail that was on its way."""
    stolen = stolen_laptop(world, alice, bob)
    with say_mailboxes_are_empty(world):
        bob.connect()
    thief_writes(stolen, bob)
    assert "send money" not in bob.texts()
    assert bob.notices()[-1] == "message-lost"


def test_twin_without_the_end_the_thief_starts_anew(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: a drain that ends nothing leaves two days for new sessions."""
    monkeypatch.setattr(peers, "end_removed", lambda _database: None)
    stolen = stolen_laptop(world, alice, bob)
    with say_mailboxes_are_empty(world):
        bob.connect()
    thief_writes(stolen, bob)
    assert bob.texts()[-1] == "send money"


def test_no_older_run_brings_a_device_back(world: World, alice: WorldDevice) -> None:
    """A relay may serve lists from far before: a device gone by the list held stays gone."""
    laptop = world.link(alice, "laptop")
    alice.log_out(laptop)
    carol = world.register("carol")
    carol.send("alice", "hello")
    world.pass_time(2 * DAY_MS)
    alice.connect()
    with alice.database.transaction():
        run = own_lists.newest(alice.database, 9)
    assert len(run) > 3
    with carol.database.transaction():
        context = Context(carol.database, world.now, world.randomness)
        account = alice.own.account_id
        assert directory.learn(context, account, AccountLists("alice", tuple(run)))
        numbers = carol.database.rows("SELECT device FROM peers WHERE account_id = ?", account)
    assert numbers == [(0,)]


def stolen_laptop(world: World, alice: WorldDevice, bob: WorldDevice) -> WorldDevice:
    """Return a laptop that was logged out, as Bob knows; it has prekeys that Bob never saw used."""
    bob.disconnect()
    laptop = world.link(alice, "laptop")
    laptop.send("bob", "kept back by the relay")
    laptop.disconnect()
    alice.log_out(laptop)
    with say_mailboxes_are_empty(world):
        bob.connect()
        bob.send("alice", "hello?")
    return laptop


def thief_writes(stolen: WorldDevice, receiver: WorldDevice) -> None:
    """Seal with what is on the stolen disk; the relay brings it."""
    forger = Forger(stolen, receiver)
    forger.say(forger.content(Text("send money"), other=receiver.own.account_id))
