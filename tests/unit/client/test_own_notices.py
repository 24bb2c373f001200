"""Notices about the own account say what its owner can do; about others, whom they concern."""

from __future__ import annotations

import pytest
from tests.conversations.list_views import context_of, signed_elsewhere
from tests.world import World, WorldDevice

from untether.browser.notice_words import words_of
from untether.cli.render import notice_line
from untether.client.notice_words import OWN_NOTICE_TEXTS
from untether.client.people import NamedNotice, named_notices
from untether.device import directory, gossip
from untether.device.store import notices
from untether.wire.content import ListEvidence
from untether.wire.records import AccountLists


def lines(device: WorldDevice) -> list[str]:
    """Return the notices of a device as people read them."""
    with device.database.transaction():
        named = named_notices(device.database, notices.unshown(device.database))
    return [notice_line(one) for one in named]


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


def test_own_devices_are_named_where_their_names_are_known() -> None:
    """By number and name at a terminal, by name alone on a screen; also one that was logged out."""
    world = World()
    phone = world.register("alice")
    laptop, tablet = world.link(phone, "laptop"), world.link(phone, "tablet")
    phone.log_out(tablet)
    number = 2
    with laptop.database.transaction():
        (gone,) = named_of(laptop, "own-device-removed")
        assert notice_line(gone) == f"Your device {number} (“tablet”) was logged out."
        assert words_of(gone) == "Your device “tablet” was logged out."
        laptop.database.run("DELETE FROM own_device_notices WHERE device = ?", number)
        (gone,) = named_of(laptop, "own-device-removed")
    assert notice_line(gone) == f"Your device {number} was logged out."
    assert words_of(gone) == "A device of yours was logged out."


def test_a_name_of_another_certificate_names_no_device() -> None:
    """What was told of a number before is not said of the device that has it now."""
    world = World()
    phone = world.register("alice")
    laptop = world.link(phone, "laptop")
    with phone.database.transaction():
        context_of(phone).notice("own-device-added", device=laptop.own.device)
        phone.database.run("UPDATE own_device_notices SET certificate_hash = zeroblob(32)")
        (added,) = named_of(phone, "own-device-added")
    assert words_of(added) == "A device of yours was linked."


def test_a_contact_s_devices_have_no_numbers_on_screens() -> None:
    """Nor the name of an own device with the same number."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    laptop = world.link(alice, "laptop")
    alice.send("bob", "hello")
    with alice.database.transaction():
        context_of(alice).notice("possible-copy", bob.own.account_id, device=laptop.own.device)
        (copied,) = named_of(alice, "possible-copy")
    assert words_of(copied).startswith("A device of bob started anew")
    assert notice_line(copied).startswith(f"Device {laptop.own.device} of bob started anew")


def named_of(device: WorldDevice, code: str) -> list[NamedNotice]:
    """Return the notices of a code; the caller holds the transaction."""
    unshown = [one for one in notices.unshown(device.database) if one.code == code]
    return named_notices(device.database, unshown)
