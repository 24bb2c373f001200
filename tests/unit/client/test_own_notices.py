"""Notices about the own account say what its owner can do; about others, whom they concern."""

from __future__ import annotations

import pytest
from tests.conversations.list_views import context_of, signed_elsewhere
from tests.world import World, WorldDevice

from untether.cli.render import notice_line
from untether.client.notice_words import OWN_NOTICE_TEXTS
from untether.client.people import named_notices
from untether.device import directory, gossip
from untether.device.store import notices
from untether.wire.content import ListEvidence
from untether.wire.records import AccountLists


def lines(device: WorldDevice) -> list[str]:
    """Return the notices of a device as people read them."""
    with device.database.transaction():
        named = named_notices(device.database, notices.unshown(device.database))
    return [notice_line(one.notice, one.about, own=one.own) for one in named]


def test_a_fork_of_the_own_account_is_mended_on_the_phone() -> None:
    """Alice's devices say “your account” and what to do; Bob's device names Alice."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    laptop = world.link(alice, "laptop")
    bob.send("alice", "hello")
    other = signed_elsewhere(alice, alice, longer=1)
    for device in (alice, laptop):
        with device.database.transaction():
            gossip.take_evidence(context_of(device), ListEvidence((other,)))
        (forked,) = (line for line in lines(device) if "contradict" in line)
        assert "YOUR ACCOUNT" in forked
        assert "`recover` on your phone" in forked
    account = alice.own.account_id
    with bob.database.transaction():
        assert not directory.learn(context_of(bob), account, AccountLists("alice", (other,)))
    assert lines(bob) == [
        "Two device lists of alice contradict each other; nothing is sent to them."
    ]


@pytest.mark.parametrize("code", sorted(OWN_NOTICE_TEXTS))
def test_own_texts_are_for_the_own_account_only(code: str) -> None:
    """The same code about a contact names the contact."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    alice.send("bob", "hello")
    mine, his = alice.own.account_id, bob.own.account_id
    with alice.database.transaction():
        context = context_of(alice)
        for account in (mine, his):
            context.notice(code, account, cause="bad-message", device=1, count=2)
    own, other = lines(alice)
    assert "bob" not in own
    assert "alice" not in own
    assert "bob" in other
