"""A relay that hides lists, and people who claim lists that nobody has seen."""

from __future__ import annotations

import pytest
from tests.attacks.defences import LIST_SIGNATURE
from tests.attacks.lying_relay import roll_back, say_nothing_of, served_lists
from tests.conversations.list_views import (
    context_of,
    head_of,
    question,
    row_of,
    sender_of,
    sign_another_list,
    signed_elsewhere,
)
from tests.conversations.mishaps import query
from tests.conversations.older_databases import make_older
from tests.world import World, WorldDevice

from untether.base.errors import RefusedError, RemoteError
from untether.base.identifiers import DAY_MS, HOUR_MS, AccountId, DeviceNumber
from untether.base.limits import CLAIM_PAUSE_MS, GOSSIP_PATIENCE_MS
from untether.device import directory, gossip, inputs, outgoing, senders
from untether.device.store import accounts, heads
from untether.device.store.upgrade import bring_up_to_date, packaged_upgrades
from untether.protocol.identity.device_list import open_list
from untether.wire.content import ListClaimQuestion, ListEvidence
from untether.wire.records import AccountLists, ListHead, SignedObject


def test_a_withheld_log_out_ends_after_the_patience(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """Alice's phone names its new list; two days later her lost laptop is not believed."""
    account = alice.own.account_id
    bob.send("alice", "hello")
    alice.send("bob", "hello")
    old = served_lists(world, account)
    alice.log_out(laptop)
    with roll_back(world, account, old):
        alice.send("bob", "I logged my laptop out")
        assert row_of(bob, account).claimed_head == head_of(alice, account)
        world.pass_time(GOSSIP_PATIENCE_MS - HOUR_MS)
        assert "list-withheld" not in bob.notices()
        world.pass_time(2 * HOUR_MS)
        assert bob.notices().count("list-withheld") == 1
        assert row_of(bob, account).lease_ended_at is not None
        with bob.database.transaction():
            context = context_of(bob)
            held = directory.held_list(context, account)
            assert held is not None
            sender = senders.find(context, account, DeviceNumber(1))
        assert sender is not None
        assert sender.held
        bob.feed(inputs.Tick())
        assert bob.notices().count("list-withheld") == 1

    bob.connect()
    bob.send("alice", "and the relay is honest again")
    row = row_of(bob, account)
    assert (row.claimed_head, row.lease_ended_at) == (None, None)


def test_twin_without_gossip_the_log_out_stays_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switched off: nobody tells Bob, and the logged-out laptop stays believed."""
    monkeypatch.setattr(gossip, "hear_own_head", lambda *_: None)
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    laptop = world.link(alice, "alice's laptop")
    bob.send("alice", "hello")
    alice.send("bob", "hello")
    old = served_lists(world, alice.own.account_id)
    alice.log_out(laptop)
    with roll_back(world, alice.own.account_id, old):
        alice.send("bob", "I logged my laptop out")
        world.pass_time(GOSSIP_PATIENCE_MS + HOUR_MS)
        assert not _is_held(bob, alice)


def _is_held(bob: WorldDevice, alice: WorldDevice) -> bool:
    with bob.database.transaction():
        found = senders.find(context_of(bob), alice.own.account_id, DeviceNumber(1))
    assert found is not None
    return found.held


def test_a_claim_that_is_served_is_settled_at_once(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """The list may have been issued long before it was claimed."""
    bob.send("alice", "hello")
    alice.send("bob", "hello")
    world.pass_time(DAY_MS)
    alice.connect()
    world.pass_time(HOUR_MS)
    alice.send("bob", "with a newer list")
    assert head_of(bob, alice.own.account_id) == head_of(alice, alice.own.account_id)
    assert row_of(bob, alice.own.account_id).claimed_head is None
    world.pass_time(GOSSIP_PATIENCE_MS + HOUR_MS)
    assert "list-withheld" not in bob.notices()


def test_a_claim_of_any_number_is_settled_by_a_later_list(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """A companion that lied about its account's head harms it until the next renewal."""
    account = alice.own.account_id
    bob.send("alice", "hello")
    with bob.database.transaction():
        gossip.hear_own_head(context_of(bob), account, ListHead(7, 7, bytes(32)))
        gossip.hear_own_head(context_of(bob), account, ListHead(9, 9, bytes(32)))
        gossip.hear_own_head(context_of(bob), account, ListHead(8, 8, bytes(32)))
    assert row_of(bob, account).claimed_head == ListHead(9, 9, bytes(32))
    world.now = type(world.now)(world.now + GOSSIP_PATIENCE_MS + 2)
    bob.feed(inputs.Tick())
    assert "list-withheld" in bob.notices()
    alice.connect()
    bob.send("alice", "hello again")
    row = row_of(bob, account)
    assert (row.claimed_head, row.lease_ended_at) == (None, None)


def _claim_false_list(bob: WorldDevice, account: AccountId, generation: int, version: int) -> None:
    with bob.database.transaction():
        claimed = ListHead(generation, version, bytes(32))
        gossip.hear_own_head(context_of(bob), account, claimed)


def _lie_while_the_phone_renews(generation: int) -> list[str]:
    """Let a device of Alice lie before and after each of her daily lists; return Bob's notices."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    account = alice.own.account_id
    bob.send("alice", "hello")
    for day in range(4):
        _claim_false_list(bob, account, generation, 90 + 2 * day)
        sign_another_list(alice, lease_days=40 + day)
        world.pass_time(HOUR_MS)
        _claim_false_list(bob, account, generation, 91 + 2 * day)
        bob.ask(question(account, head_of(bob, account)))
        assert head_of(bob, account) == head_of(alice, account)
        assert row_of(bob, account).claimed_head is not None
        world.pass_time(DAY_MS - HOUR_MS)
        bob.feed(inputs.Tick())
    return bob.notices()


def test_a_companion_that_lies_without_end_harms_nobody_who_renews() -> None:
    """A list settles the lies from before it, though one from after it is kept."""
    assert "list-withheld" not in _lie_while_the_phone_renews(generation=0)


def test_a_copy_that_claims_recoveries_without_end_is_told() -> None:
    """Renewals don't speak for another generation, so nothing puts the end of patience off."""
    assert "list-withheld" in _lie_while_the_phone_renews(generation=7)


def _show_a_renewal_late(hours: int) -> tuple[WorldDevice, AccountId]:
    """Show Bob a day's renewal hours after the patience with the claims around it was over."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    account = alice.own.account_id
    bob.send("alice", "hello")
    alice.disconnect()
    _claim_false_list(bob, account, 0, 90)
    world.pass_time(DAY_MS)
    renewal = sign_another_list(alice, lease_days=40)
    world.pass_time(HOUR_MS)
    _claim_false_list(bob, account, 0, 91)
    world.pass_time(DAY_MS)
    bob.feed(inputs.Tick())
    assert bob.notices() == ["list-withheld"]
    world.pass_time(hours * HOUR_MS)
    with bob.database.transaction():
        directory.learn(context_of(bob), account, AccountLists("alice", (renewal,)))
    return bob, account


def test_a_list_that_comes_late_undoes_the_end_while_its_patience_lasts() -> None:
    """Issued a day after the first claim, it gives the later one a day more, and no longer."""
    bob, account = _show_a_renewal_late(hours=1)
    assert row_of(bob, account).lease_ended_at is None
    bob.world.pass_time(DAY_MS)
    bob.feed(inputs.Tick())
    assert bob.notices() == ["list-withheld", "list-withheld"]
    assert row_of(bob, account).lease_ended_at is not None


def test_a_list_that_comes_too_late_undoes_nothing() -> None:
    """Its own patience is over as well: not for a moment is a companion believed again."""
    bob, account = _show_a_renewal_late(hours=24)
    assert row_of(bob, account).lease_ended_at is not None


def test_another_list_at_the_same_place_is_news_too(alice: WorldDevice, bob: WorldDevice) -> None:
    """Hashes decide nothing but sameness: a different one is a claim, a lower place is not."""
    account = alice.own.account_id
    bob.send("alice", "hello")
    head = head_of(bob, account)
    with bob.database.transaction():
        context = context_of(bob)
        gossip.hear_own_head(context, account, head)
        gossip.hear_own_head(context, account, ListHead(0, 0, b"\xff" * 32))
        gossip.hear_own_head(context, AccountId(bytes(16)), head)
        assert accounts.find(bob.database, account).claimed_head is None  # type: ignore[union-attr]
        gossip.hear_own_head(context, account, ListHead(*head.place, bytes(32)))
    assert row_of(bob, account).claimed_head == ListHead(*head.place, bytes(32))


def test_a_stale_list_is_refused_whoever_serves_it(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """A relay that shows an old list later changes nothing, and people hear that it tried."""
    account = alice.own.account_id
    laptop = world.link(alice, "alice's laptop")
    bob.send("alice", "hello")
    old = served_lists(world, account)
    alice.log_out(laptop)
    bob.send("alice", "hello again")
    head = head_of(bob, account)
    with roll_back(world, account, old):
        bob.ask(question(account, head))
    assert head_of(bob, account) == head
    assert "relay-lists-refused" in bob.notices()


def test_a_list_withheld_from_its_own_account_comes_from_a_contact(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """The laptop asks Bob for proof of the list that he names, and learns of the tablet."""
    account = alice.own.account_id
    laptop.send("bob", "hello")
    bob.send("alice", "hello")
    laptop.disconnect()
    world.link(alice, "alice's tablet")
    bob.send("alice", "hello all")
    with say_nothing_of(world, account):
        laptop.connect()
        world.settle()
        world.pass_time(10_000)
    assert head_of(laptop, account) == head_of(bob, account)
    assert "own-device-added" in laptop.notices()
    assert "lists-forked" not in laptop.notices()


def test_a_false_claim_about_me_is_a_question_and_nothing_more(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """Anybody can name a head: no alarm, no end of a lease, one question for each claim."""
    bob.send("alice", "hello")
    laptop.send("bob", "hello")
    claim = ListHead(0, 99, bytes(32))
    sender = sender_of(laptop, bob)
    world.pass_time(10_000)
    for _ in range(3):
        with laptop.database.transaction():
            gossip.hear_assumed_head(context_of(laptop), sender, claim)
    questions = query(laptop, "SELECT count(*) FROM outbox WHERE direct_device IS NOT NULL")
    assert questions == [(1,)]
    world.pass_time(GOSSIP_PATIENCE_MS + DAY_MS)
    assert not set(laptop.notices()) & {"lists-forked", "list-withheld", "phone-displaced"}
    assert row_of(laptop, alice.own.account_id).lease_ended_at is None


def test_only_who_holds_enough_and_knows_the_asker_answers(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Strangers learn nothing, a lower list proves nothing, and one answer an hour is enough."""
    alice.send("bob", "hello")
    sender = sender_of(bob, alice)

    def answers(claimed: ListHead) -> int:
        with bob.database.transaction():
            before = bob.database.rows("SELECT count(*) FROM outbox")[0][0]
            gossip.answer_question(context_of(bob), sender, ListClaimQuestion(claimed))
            return int(bob.database.rows("SELECT count(*) FROM outbox")[0][0] - before)

    held = head_of(bob, alice.own.account_id)
    assert answers(held) == 0
    bob.send("alice", "now you are a contact")
    assert [answers(held), answers(held)] == [1, 0]
    world.pass_time(CLAIM_PAUSE_MS)
    assert answers(ListHead(*held.place, bytes(32))) == 1
    world.pass_time(CLAIM_PAUSE_MS)
    assert answers(ListHead(held.generation, held.version + 1, bytes(32))) == 0


def test_evidence_that_comes_late_is_no_news(
    world: World, alice: WorldDevice, bob: WorldDevice, laptop: WorldDevice
) -> None:
    """Bob showed Alice's laptop her list before she signed the next; nothing was unreadable."""
    bob.send("alice", "hello")
    alice.send("bob", "hello")
    shown = served_lists(world, alice.own.account_id).lists[-1:]
    alice.feed(inputs.SetLease(60 * DAY_MS))
    world.settle()
    for device in (alice, laptop):
        with bob.database.transaction():
            outgoing.send_direct(
                context_of(bob), alice.own.account_id, device.own.device, ListEvidence(shown)
            )
        world.settle()
        bob.connect()
        assert "message-not-readable" not in device.notices()
        assert query(device, "SELECT count(*) FROM parked") == [(0,)]


def _made_up(phone: WorldDevice) -> ListEvidence:
    """Return a list ahead of a phone's own as anybody can make it, with no right signature."""
    ahead = signed_elsewhere(phone, phone, version=9)
    return ListEvidence((SignedObject(ahead.body, bytes(64)),))


def test_evidence_that_proves_nothing_is_refused(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """Forged lists, and lists of somebody else, raise no alarm on anybody's word."""
    others = ListEvidence(served_lists(world, bob.own.account_id).lists)
    for evidence in (others, _made_up(alice)):
        with alice.database.transaction(), pytest.raises(RemoteError):
            gossip.take_evidence(context_of(alice), evidence)
    assert query(alice, "SELECT code FROM notices") == []
    alice.feed(inputs.SetLease(60 * DAY_MS))


def test_twin_without_verification_a_contact_raises_false_alarms(
    alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: whoever sends bytes stops the phone from signing."""
    evidence = _made_up(alice)
    LIST_SIGNATURE.switch_off(monkeypatch)
    with alice.database.transaction():
        gossip.take_evidence(context_of(alice), evidence)
    assert query(alice, "SELECT code FROM notices") == [("phone-displaced",)]
    with pytest.raises(RefusedError):
        alice.feed(inputs.SetLease(60 * DAY_MS))


def test_a_valid_list_that_the_phone_did_not_sign_stops_it(
    world: World, alice: WorldDevice
) -> None:
    """Proof of a copy of the phone, although the lists in between are missing."""
    ahead = signed_elsewhere(alice, alice, version=9)
    with alice.database.transaction():
        gossip.take_evidence(context_of(alice), ListEvidence((ahead,)))
    with pytest.raises(RefusedError) as caught:
        alice.feed(inputs.SetLease(60 * DAY_MS))
    assert caught.value.code == "phone-displaced"
    assert query(alice, "SELECT code FROM notices") == [("phone-displaced",)]
    alice.feed(inputs.RecoverSamePhone())
    world.settle()
    alice.feed(inputs.SetLease(60 * DAY_MS))


def test_a_valid_list_ahead_starts_the_patience_of_a_companion(
    world: World, alice: WorldDevice, laptop: WorldDevice
) -> None:
    """It can't tell who is right, so it believes its siblings for two more days only."""
    alice.disconnect()
    ahead = signed_elsewhere(alice, laptop, version=9)
    with laptop.database.transaction():
        gossip.take_evidence(context_of(laptop), ListEvidence((ahead,)))
    world.pass_time(1)
    claimed = row_of(laptop, alice.own.account_id).claimed_head
    assert claimed == open_list(ahead, alice.own.account_key).head


def test_a_claim_of_an_older_program_counts_from_its_first_time(
    world: World, alice: WorldDevice, bob: WorldDevice
) -> None:
    """It knew one time: whether it wrote before the upgrade or after it, that one decides."""
    account = alice.own.account_id
    bob.send("alice", "hello")
    make_older(bob, 9)
    for upgraded in (False, True):
        with bob.database.transaction():
            bob.database.run(
                "UPDATE accounts SET claimed_head = ?, claimed_at = ? WHERE account_id = ?",
                heads.to_column(ListHead(0, 90, bytes(32))),
                world.now,
                account,
            )
        if not upgraded:
            bring_up_to_date(bob.database, packaged_upgrades())
        assert row_of(bob, account).claim_raised_at == world.now
        world.pass_time(HOUR_MS)
        sign_another_list(alice, lease_days=50 if upgraded else 40)
        bob.ask(question(account, head_of(bob, account)))
        row = row_of(bob, account)
        assert (row.claimed_head, row.claim_raised_at) == (None, None)
