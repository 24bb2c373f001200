"""A relay that tells a device that it was logged out, and shows an order that was for another."""

from __future__ import annotations

import pytest
from tests.attacks.defences import LISTS_LOG_OUT
from tests.attacks.lying_relay import answering, served_lists
from tests.conversations.mishaps import state
from tests.world import World, WorldDevice
from tests.world_relay import Link

from untether.device import inputs
from untether.device.store.own_device import State
from untether.wire.client_frames import ClientFrame, Login, PublishLists
from untether.wire.records import AccountLists, SignedObject
from untether.wire.server_frames import NotListed, ServerFrame


def tell_it_that_it_is_gone(world: World, alice: WorldDevice) -> WorldDevice:
    """Log a lost tablet out with an order to wipe it, then show that order to the laptop."""
    tablet, laptop = world.link(alice, "tablet"), world.link(alice, "laptop")
    alice.send_to(alice.own.account_id, "a note")
    orders: list[SignedObject] = []

    def keep(_link: Link, request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        if isinstance(request, PublishLists):
            orders.extend(request.wipe_orders)
        return answer

    with answering(world, keep):
        alice.log_out(tablet, wipe=True)
    newest = served_lists(world, alice.own.account_id)
    claim = NotListed(AccountLists("alice", newest.lists, wipe_orders=tuple(orders)))
    with answering(world, lambda _, request, true: claim if isinstance(request, Login) else true):
        for _ in range(3):
            laptop.connect()
    assert len(orders) == 1
    return laptop


def test_a_relay_erases_nothing(world: World, alice: WorldDevice) -> None:
    """Its word suspends the laptop; keys and messages stay, and mail comes when it lets it in."""
    laptop = tell_it_that_it_is_gone(world, alice)
    assert state(laptop) is State.SUSPENDED
    assert laptop.texts() == ["a note"]
    laptop.connect()
    assert state(laptop) is State.ACTIVE
    alice.feed(inputs.SendText(alice.own.account_id, "another note"))
    world.settle()
    assert laptop.texts() == ["a note", "another note"]


def test_twin_that_takes_the_relay_s_word_loses_its_keys(
    world: World, alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One answer of a broken relay would log everybody's companions out."""
    LISTS_LOG_OUT.switch_off(monkeypatch)
    assert tell_it_that_it_is_gone(world, alice).own.state is State.LOGGED_OUT
