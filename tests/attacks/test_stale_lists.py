"""Lists from before a log-out: the relay helps the thief of Bob's laptop to stay on them."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.attacks.defences import (
    CHECK_BEFORE_LEAVING,
    CLAIMS_HAVE_THEIR_OWN_TIME,
    LEASE,
    LIST_ORDER,
)
from tests.attacks.lying_relay import roll_back, served_lists, withhold
from tests.attacks.wiretap import Wiretap
from tests.conversations.list_views import head_of, held_by, question, sign_another_list
from tests.world import World, WorldDevice

from untether.base.identifiers import DAY_MS, HOUR_MS, MINUTE_MS
from untether.base.limits import GOSSIP_PATIENCE_MS, LEASE_DEFAULT_MS, LEASE_GRACE_MS
from untether.wire.records import AccountLists
from untether.wire.server_frames import Bundles, Deliveries


@pytest.fixture
def laptop(alice: WorldDevice, bob: WorldDevice) -> WorldDevice:
    """Return Bob's laptop, which is going to be stolen; Alice has heard from it."""
    linked = bob.world.link(bob, "laptop")
    alice.send("bob", "to both")
    linked.send("alice", "from the laptop")
    bob.world.pass_time(10_000)
    return linked


def log_out(bob: WorldDevice, laptop: WorldDevice) -> None:
    """Let Bob log his stolen laptop out; its thief does not hear of it."""
    laptop.disconnect()
    bob.log_out(laptop)


# --- Every older list -----------------------------------------------------------------------


def show_every_older_list(
    alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> tuple[int, Wiretap]:
    """Serve Alice, who knows the newest, each list that Bob ever had; she writes each time."""
    world, account = bob.world, bob.own.account_id
    older: list[AccountLists] = [served_lists(world, account)]
    for _ in range(3):
        world.pass_time(DAY_MS)
        older.append(served_lists(world, account))
    log_out(bob, laptop)
    alice.send("bob", "I know")
    wiretap = Wiretap(world)
    for shown in older:
        with roll_back(world, account, shown):
            alice.ask(question(account, head_of(alice, account)))
            alice.send("bob", "secret")
    return len(older), wiretap


def test_no_older_list_is_taken(alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice) -> None:
    """Each one is refused and told; all messages go to the phone alone."""
    served, wiretap = show_every_older_list(alice, bob, laptop)
    assert head_of(alice, bob.own.account_id) == head_of(bob, bob.own.account_id)
    assert alice.notices().count("relay-lists-refused") == served
    assert bob.texts().count("secret") == served
    assert wiretap.copies_for(bob.own.account_id, laptop.own.device) == []


def test_twin_without_the_order_of_lists_the_laptop_comes_back(
    alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any signed list would do, and the oldest one lists the laptop."""
    LIST_ORDER.switch_off(monkeypatch)
    _, wiretap = show_every_older_list(alice, bob, laptop)
    assert wiretap.copies_for(bob.own.account_id, laptop.own.device) != []


# --- A log-out that is withheld -------------------------------------------------------------


def withhold_until_the_lease_ends(
    alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> tuple[Wiretap, int]:
    """Keep the log-out, and all mail that could name it, from Alice until the lease ends."""
    world, account = bob.world, bob.own.account_id
    old = served_lists(world, account)
    log_out(bob, laptop)
    with roll_back(world, account, old), withhold(world, Deliveries, device=alice):
        bob.send("alice", "my laptop was stolen")
        world.pass_time(LEASE_DEFAULT_MS + LEASE_GRACE_MS)
        wiretap = Wiretap(world)
        for number in range(5):
            alice.send_to(account, f"secret {number}")
        world.pass_time(DAY_MS)
    return wiretap, 5


def test_a_withheld_log_out_ends_with_the_lease(
    alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """Nobody renewed the list that Alice holds: she writes to the phone alone."""
    wiretap, sent = withhold_until_the_lease_ends(alice, bob, laptop)
    account = bob.own.account_id
    assert len(wiretap.copies_for(account, bob.own.device)) >= sent
    assert wiretap.copies_for(account, laptop.own.device) == []
    alice.connect()
    bob.world.pass_time(DAY_MS)
    assert [text for text in bob.texts() if "secret" in text] == [
        f"secret {n}" for n in range(sent)
    ]


def test_twin_without_the_lease_the_thief_reads_for_ever(
    alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that never ends is believed as long as nothing newer comes."""
    LEASE.switch_off(monkeypatch)
    wiretap, sent = withhold_until_the_lease_ends(alice, bob, laptop)
    assert len(wiretap.copies_for(bob.own.account_id, laptop.own.device)) >= sent


def show_a_renewal_instead(alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice) -> Wiretap:
    """Keep three lists that Bob names from Alice, the last a log-out; show her two of them late.

    The second was issued after he had named the first, and at the moment when he named the third.
    """
    world, account = bob.world, bob.own.account_id
    old = served_lists(world, account)
    with roll_back(world, account, old):
        first = sign_another_list(bob, lease_days=40)
        bob.send("alice", "I am often away")
        world.pass_time(MINUTE_MS)
        second = sign_another_list(bob, lease_days=50)
        log_out(bob, laptop)
        bob.send("alice", "my laptop was stolen")
        world.pass_time(GOSSIP_PATIENCE_MS - HOUR_MS)
    with roll_back(world, account, structs.replace(old, lists=(first, second))):
        alice.ask(question(account, head_of(alice, account)))
        assert held_by(alice, account).signed == second
        world.pass_time(2 * HOUR_MS)
        wiretap = Wiretap(world)
        alice.send_to(account, "secret")
    return wiretap


def test_no_renewal_from_before_a_log_out_wins_time(
    alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """It settles what was claimed before it; two days after it the laptop gets no copy."""
    wiretap = show_a_renewal_instead(alice, bob, laptop)
    assert "list-withheld" in alice.notices()
    assert len(wiretap.copies_for(bob.own.account_id, bob.own.device)) == 1
    assert wiretap.copies_for(bob.own.account_id, laptop.own.device) == []


def test_twin_without_a_time_of_its_own_the_log_out_is_forgotten(
    alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken for as old as the first claim, the log-out is settled by a list that lacks it."""
    CLAIMS_HAVE_THEIR_OWN_TIME.switch_off(monkeypatch)
    wiretap = show_a_renewal_instead(alice, bob, laptop)
    assert "list-withheld" not in alice.notices()
    assert len(wiretap.copies_for(bob.own.account_id, laptop.own.device)) == 1


# --- Between sealing and leaving ------------------------------------------------------------


def hold_a_message_up(world: World, bob: WorldDevice, laptop: WorldDevice) -> Wiretap:
    """Keep a message of Ann from leaving until she knows of the log-out, then let it go.

    It is sealed for Bob's devices, and waits for prekeys of a new device of her own, which the
    relay does not hand out.
    """
    phone = world.register("ann")
    desk = world.link(phone, "desk")
    desk.send("bob", "hello")
    bob.send("ann", "hello")
    laptop.send("ann", "hello")
    world.link(phone, "tablet")
    with withhold(world, Bundles):
        desk.send_to(bob.own.account_id, "secret")
    log_out(bob, laptop)
    bob.send("ann", "my laptop was stolen")
    assert head_of(desk, bob.own.account_id) == head_of(bob, bob.own.account_id)
    wiretap = Wiretap(world)
    desk.connect()
    return wiretap


def test_what_was_sealed_before_a_log_out_does_not_leave_after_it(
    world: World, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """The copy for the laptop is dropped before the relay, which would keep it, has seen it."""
    wiretap = hold_a_message_up(world, bob, laptop)
    assert bob.texts()[-1] == "secret"
    assert len(wiretap.copies_for(bob.own.account_id, bob.own.device)) >= 1
    assert wiretap.copies_for(bob.own.account_id, laptop.own.device) == []


def test_twin_without_the_check_before_leaving_the_thief_gets_a_copy(
    world: World, bob: WorldDevice, laptop: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checked only when it was sealed, it leaves for a device that Ann knows is stolen."""
    CHECK_BEFORE_LEAVING.switch_off(monkeypatch)
    wiretap = hold_a_message_up(world, bob, laptop)
    assert len(wiretap.copies_for(bob.own.account_id, laptop.own.device)) == 1
