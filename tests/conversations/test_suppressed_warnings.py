"""Attempts to keep a warning from the person that it is for."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.conversations.list_views import context_of, head_of, row_of, signed_elsewhere
from tests.world import World, WorldDevice

from untether.base.identifiers import DAY_MS
from untether.base.limits import NOTICES_PER_CODE_MAX, REPAIR_JITTER_MS
from untether.device import account_lists, directory, inputs, outgoing, own_account
from untether.device.store import accounts, notices, peers
from untether.protocol.identity.device_list import DeviceList
from untether.protocol.identity.resignation import sign_resignation
from untether.wire.client_frames import PublishLists
from untether.wire.records import AccountLists, ListHead, Stamp
from untether.wire.server_frames import Deliveries, Entry, Lists


def unshown(device: WorldDevice) -> list[str]:
    """Return the codes of what people would be shown now."""
    with device.database.transaction():
        return [notice.code for notice in notices.unshown(device.database)]


def flood(receiver: WorldDevice, contact: WorldDevice) -> None:
    """Let the relay push a thousand entries of a contact that nobody can open, nor repair."""
    world = receiver.world
    for number in range(1_000):
        acknowledged = receiver.own.acknowledged
        entry = Entry(
            stamp=Stamp(1, 1 if acknowledged is None else acknowledged.number + 1),
            sender=contact.own.account_id,
            sender_device=contact.own.device,
            accepted_at=world.now,
            message_id=number.to_bytes(16, "big"),  # type: ignore[arg-type]
            header=None,
            body=None,
        )
        receiver.feed(inputs.RelayPushed(Deliveries((entry,), remaining=1)))


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
    """Return Bob's phone; he and Alice have talked both ways."""
    bob = world.register("bob")
    for _ in range(2):
        bob.send("alice", "hello")
        alice.send("bob", "hello")
    return bob


def test_no_flood_washes_a_red_notice_away(alice: WorldDevice, bob: WorldDevice) -> None:
    """A thousand unreadable messages leave the newest hundred of theirs, and all others."""
    with bob.database.transaction():
        context_of(bob).notice("identity-changed", alice.own.account_id, name="alice")
    flood(bob, alice)
    bob.world.pass_time(REPAIR_JITTER_MS)
    shown = unshown(bob)
    assert shown.count("identity-changed") == 1
    assert shown.count("message-not-readable") == NOTICES_PER_CODE_MAX


def test_twin_with_one_limit_for_all_the_flood_wins(
    alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the oldest go first whatever they say, a relay silences any warning."""
    post = notices.post

    def post_and_forget(*arguments: object) -> None:
        post(*arguments)  # type: ignore[arg-type]
        bob.database.run("DELETE FROM notices WHERE row <= (SELECT max(row) - 100 FROM notices)")

    monkeypatch.setattr(notices, "post", post_and_forget)
    with bob.database.transaction():
        context_of(bob).notice("identity-changed", alice.own.account_id, name="alice")
    flood(bob, alice)
    bob.world.pass_time(REPAIR_JITTER_MS)
    assert "identity-changed" not in unshown(bob)


def answer_with_a_broken_resignation(alice: WorldDevice) -> None:
    """Serve a list that a copy of Alice's phone signed, and beside it what can't be verified."""
    copied = signed_elsewhere(alice, alice, version=2)
    broken = sign_resignation(bytes(32), alice.own.account_id, alice.own.device, bytes(32))
    served = AccountLists("alice", (copied,), resignations=(broken,))
    with alice.database.transaction():
        sent = PublishLists((own_account.newest(context_of(alice)).signed,))
    alice.feed(inputs.RelayAnswered(sent, Lists(alice.own.account_id, served)))


def test_lists_with_a_broken_resignation_are_not_half_taken(alice: WorldDevice) -> None:
    """The phone holds what it held; it takes the list with its warning when it comes alone."""
    before = head_of(alice, alice.own.account_id)
    answer_with_a_broken_resignation(alice)
    assert head_of(alice, alice.own.account_id) == before
    assert alice.notices() == ["relay-lists-refused"]


def test_twin_that_stores_first_loses_the_red_notice(
    alice: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stored before the rest is verified, and not taken back: nobody ever hears of the list."""
    monkeypatch.setattr(
        account_lists, "learn", lambda context, _, answer: own_account.learn(context, answer)
    )
    check = directory._newly_resigned

    def store_first(context: object, newest: DeviceList, signed: object) -> object:
        accounts.save_list(alice.database, newest, "alice")
        return check(context, newest, signed)  # type: ignore[arg-type]

    monkeypatch.setattr(directory, "_newly_resigned", store_first)
    before = head_of(alice, alice.own.account_id)
    answer_with_a_broken_resignation(alice)
    alice.connect()
    assert head_of(alice, alice.own.account_id) != before
    assert "phone-displaced" not in alice.notices()


def a_copy_starts_anew(alice: WorldDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a copy of Alice's phone write in a new session, and claim that it has recovered."""
    honest = outgoing._own_head

    def claimed(context: object) -> ListHead:
        head = honest(context)  # type: ignore[arg-type]
        return structs.replace(head, generation=7, version=1, hash=bytes(32))

    with monkeypatch.context() as copy:
        copy.setattr(outgoing, "_own_head", claimed)
        with alice.database.transaction():
            peers.ask_to_renew(alice.database)
        alice.send("bob", "from the copy")


def let_the_phone_renew(world: World, alice: WorldDevice, bob: WorldDevice) -> None:
    """Two days pass, and Alice's real phone is online each day."""
    for _ in range(2):
        world.pass_time(DAY_MS)
        alice.connect()
        alice.send("bob", "good morning")
    assert row_of(bob, alice.own.account_id).claimed_head is None


def test_a_false_recovery_excuses_no_copy(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claimed generation never comes; the list that settles the claim raises the alarm."""
    a_copy_starts_anew(alice, monkeypatch)
    assert bob.texts()[-1] == "from the copy"
    assert "possible-copy" not in bob.notices()
    let_the_phone_renew(world, alice, bob)
    assert bob.notices().count("possible-copy") == 1


def test_twin_without_the_alarm_the_copy_stays_unknown(
    world: World, alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The renewal of the real phone settles the claim, and nothing is ever told."""
    a_copy_starts_anew(alice, monkeypatch)

    def settle(context: object, newest: DeviceList) -> None:
        accounts.forget_claim(bob.database, newest.account_id)

    monkeypatch.setattr(directory, "settle_claim", settle)
    let_the_phone_renew(world, alice, bob)
    assert not {"possible-copy", "list-withheld"} & set(bob.notices())
