"""A phone that signs two histories: whoever sees both stops, until a new generation."""

from __future__ import annotations

import pytest
from tests.attacks.lying_relay import fork
from tests.conversations.list_views import context_of, head_of, question, row_of, signed_elsewhere
from tests.conversations.mishaps import (
    copy_database,
    put_back,
    query,
    recover,
    state,
)
from tests.world import World, WorldDevice

from untether.base.errors import RefusedError
from untether.base.identifiers import DAY_MS
from untether.device import events, gossip, inputs, outbox
from untether.device.store.own_device import State
from untether.wire.content import ListEvidence


def _fork(world: World, alice: WorldDevice, victim: WorldDevice) -> None:
    """Show somebody a second list for the place that they hold."""
    account = alice.own.account_id
    honest = head_of(victim, account)
    other = signed_elsewhere(alice, alice, longer=1)
    with fork(world, alice, other):
        victim.ask(question(account, honest))


def test_nothing_is_sent_to_a_forked_account_until_a_new_generation() -> None:
    """Both lists are kept as evidence, told once; the recovery ends it and the mail leaves."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    bob.send("alice", "hello")
    _fork(world, alice, bob)
    _fork(world, alice, bob)
    assert bob.notices().count("lists-forked") == 1
    assert row_of(bob, alice.own.account_id).forked
    waiting = bob.send("alice", "who are you?")
    assert waiting.state == "queued"
    assert "lists-forked" in [one.cause for one in bob.happened(events.MessageProgressed)]
    phone = recover(world, alice)
    bob.connect()
    bob.ask(question(alice.own.account_id, head_of(bob, alice.own.account_id)))
    assert not row_of(bob, alice.own.account_id).forked
    assert phone.texts() == ["who are you?"]


def test_twin_without_the_block_a_forked_account_gets_mail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Switched off: the message reaches whoever the held branch lists."""
    monkeypatch.setattr(outbox, "_blocked", lambda *_: "")
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    bob.send("alice", "hello")
    _fork(world, alice, bob)
    assert bob.send("alice", "who are you?").state == "sent"


def test_a_phone_whose_account_forks_signs_nothing_until_it_recovers() -> None:
    """The evidence came from a contact; the phone's own new generation ends the fork."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    laptop = world.link(alice, "alice's laptop")
    bob.send("alice", "hello")
    other = signed_elsewhere(alice, alice, longer=1)
    for device in (alice, laptop):
        with device.database.transaction():
            gossip.take_evidence(context_of(device), ListEvidence((other,)))
        assert query(device, "SELECT code FROM notices WHERE code = 'lists-forked'") == [
            ("lists-forked",)
        ]
    with pytest.raises(RefusedError) as caught:
        alice.feed(inputs.SetLease(60 * DAY_MS))
    assert caught.value.code == "phone-displaced"
    alice.feed(inputs.RecoverSamePhone())
    world.settle()
    alice.feed(inputs.SetLease(60 * DAY_MS))
    world.settle()
    laptop.connect()
    assert state(laptop) is State.ACTIVE
    assert not row_of(laptop, alice.own.account_id).forked
    bob.send("alice", "hello again")
    assert laptop.texts()[-1] == alice.texts()[-1] == "hello again"


def test_a_copied_phone_and_its_original_find_each_other_out() -> None:
    """Both sign: the relay keeps the first list, and the other side sees the fork."""
    world = World()
    alice = world.register("alice")
    clone = world.new_device("a clone of alice's phone", alice.account_seed)
    put_back(clone, copy_database(alice))
    alice.feed(inputs.SetLease(60 * DAY_MS))
    world.settle()
    clone.feed(inputs.SetLease(90 * DAY_MS))
    clone.connect()
    assert {"lists-forked", "restored-from-copy"} & set(clone.notices())
    with pytest.raises(RefusedError):
        clone.feed(inputs.SetLease(30 * DAY_MS))
