"""Lists at the relay: extended by the rules, all kept, served (spec 08, "Lists")."""

from __future__ import annotations

import msgspec
import pytest
from tests.unit.identity.identity_people import seeded
from tests.unit.relay.relay_desk import (
    RelayDesk,
    RelayDevice,
    link,
    log_out,
    make_companion,
    only,
    sealed_for,
)

from untether.adapters.storage.relay_memory import MemoryRelayStore
from untether.base import limits
from untether.base.identifiers import DAY_MS, HOUR_MS, UnixMillis
from untether.protocol.identity.device_list import sign_list
from untether.protocol.identity.next_list import next_list_body
from untether.protocol.identity.resignation import sign_resignation
from untether.protocol.identity.wipe_order import sign_wipe_order
from untether.relay import list_requests
from untether.relay.budgets import ACCOUNT_LISTS
from untether.relay.outcome import CutDevice, TellAccount
from untether.wire.client_frames import (
    ClaimPrekeys,
    FetchLists,
    FetchStatus,
    PublishLists,
    Recover,
    Resign,
)
from untether.wire.records import ListHead
from untether.wire.server_frames import (
    Accepted,
    Bundles,
    Done,
    Lists,
    ListsChanged,
    NotListed,
    Refused,
    ServerFrame,
    Status,
    Welcome,
)


async def test_a_new_companion_comes_with_its_prekeys(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """List and prekeys are admitted together; the account's devices hear of it."""
    companion = make_companion(alice)
    signed = alice.person.publish(add=companion.certificate).signed
    number = companion.address.device
    assert await alice.ask(PublishLists((signed,))) == Refused("prekeys-missing")
    assert await alice.ask(PublishLists((signed,), number)) == Refused("no-such-device")
    foreign = PublishLists((signed,), number, alice.stock())
    assert await alice.ask(foreign) == Refused("prekey-signature")
    assert isinstance(await companion.log_in(), NotListed)
    good = PublishLists((signed,), number, companion.stock())
    assert isinstance(await alice.ask(good), Done)
    assert [type(effect) for effect in desk.effects] == [TellAccount]
    assert isinstance(await companion.log_in(), Welcome)
    claimed = await bob.ask(ClaimPrekeys(alice.account_id, (number,)))
    assert isinstance(claimed, Bundles)
    assert len(claimed.bundles) == 1
    assert isinstance(await alice.ask(good), Done)
    assert desk.effects == []


async def test_prekeys_come_for_a_listed_device_only(alice: RelayDevice) -> None:
    """Half a pair of fields, or a number that is not listed, changes nothing."""
    stranger = make_companion(alice)
    signed = alice.person.publish().signed
    number = stranger.address.device
    for frame in (
        PublishLists((signed,), number, stranger.stock()),
        PublishLists((signed,), number),
        PublishLists((signed,), None, alice.stock()),
    ):
        assert await alice.ask(frame) == Refused("no-such-device")
    assert isinstance(await alice.ask(PublishLists((signed,))), Done)


async def test_a_log_out_erases_all_in_one_step(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """Mail and prekeys of the device are gone with the list, and its sockets are cut."""
    laptop = await link(alice)
    await bob.send(alice.person)
    assert isinstance(await log_out(alice, laptop), Done)
    cut = [effect for effect in desk.effects if isinstance(effect, CutDevice)]
    assert [effect.address for effect in cut] == [laptop.address]
    assert cut[0].frame.account.lists == (alice.person.newest.signed,)
    assert (await laptop.read()).entries == ()
    claimed = await bob.ask(ClaimPrekeys(alice.account_id, (laptop.address.device,)))
    assert claimed == Bundles(())
    answer = await laptop.log_in()
    assert isinstance(answer, NotListed)
    assert answer.account.lists == (alice.person.newest.signed,)


async def test_a_bearer_sees_its_own_account_and_nothing_else(
    alice: RelayDevice, bob: RelayDevice
) -> None:
    """A removed device may fetch what shows that it was removed."""
    laptop = await link(alice)
    await log_out(alice, laptop)
    await laptop.log_in()
    own = await laptop.ask(FetchLists(alice.account_id, alice.person.lists[0].head))
    assert isinstance(own, Lists)
    assert own.account.lists == tuple(alice.person.run[1:])
    assert await laptop.ask(FetchLists(bob.account_id)) == Refused("not-allowed")
    assert await laptop.ask(FetchStatus()) == Refused("not-allowed")


async def test_a_conflict_is_answered_with_what_is_missing(alice: RelayDevice) -> None:
    """A publication that does not lead on gets the lists from its place on, and no trace."""
    base = alice.person.newest
    first, rival = (
        sign_list(
            next_list_body(base, now=alice.desk.now, lease_ms=days * DAY_MS),
            alice.person.phone.signing_seed,
        )
        for days in (20, 10)
    )
    assert isinstance(await alice.ask(PublishLists((first,))), Done)
    answer = await alice.ask(PublishLists((rival,)))
    assert isinstance(answer, Lists)
    assert answer.account.lists == (first,)
    gap = alice.person.publish(), alice.person.publish(), alice.person.publish()
    assert isinstance(await alice.ask(PublishLists((gap[-1].signed,))), Lists)


async def test_a_list_that_is_not_valid_is_refused_by_its_cause(
    alice: RelayDevice, bob: RelayDevice
) -> None:
    """A broken signature or another account's list is no conflict."""
    signed = alice.person.publish().signed
    forged = msgspec.structs.replace(signed, signature=bytes(64))
    assert await alice.ask(PublishLists((forged,))) == Refused("list-wrong-signer")
    assert await alice.ask(PublishLists((bob.person.publish().signed,))) == Refused("wrong-account")


async def test_fetching_shows_a_fork_and_a_relay_behind(alice: RelayDevice) -> None:
    """Who holds another list for a place, or a later one, gets the list that shows it."""
    newest = alice.person.newest
    other = ListHead(newest.head.generation, newest.head.version, bytes(32))
    later = ListHead(newest.head.generation, newest.head.version + 5, bytes(32))
    for after in (other, later, None):
        answer = await alice.ask(FetchLists(alice.account_id, after))
        assert isinstance(answer, Lists)
        assert answer.account.lists == (newest.signed,)
    nothing_new = await alice.ask(FetchLists(alice.account_id, newest.head))
    assert isinstance(nothing_new, Lists)
    assert (nothing_new.account.lists, nothing_new.account.more) == ((), False)
    assert await alice.ask(FetchLists(alice.account_id[::-1])) == Refused("no-such-account")  # type: ignore[arg-type]


async def test_a_long_chain_is_fetched_in_pieces(
    alice: RelayDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``more`` says that the newest list has not come yet."""
    run = [alice.person.publish().signed for _ in range(5)]
    await alice.ask(PublishLists(tuple(run)))
    monkeypatch.setattr("untether.relay.lists.LISTS_PER_ANSWER_MAX", 3)
    answer = await alice.ask(FetchLists(alice.account_id, alice.person.lists[0].head))
    assert isinstance(answer, Lists)
    assert (answer.account.lists, answer.account.more) == (tuple(run[:3]), True)
    answer = await alice.ask(FetchLists(alice.account_id, alice.person.lists[3].head))
    assert isinstance(answer, Lists)
    assert (answer.account.lists, answer.account.more) == (tuple(run[3:]), False)


async def test_a_relay_put_back_is_healed_by_any_own_device(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """A companion brings back the lists that an old copy of the relay lacks."""
    if not isinstance(desk.store, MemoryRelayStore):
        pytest.skip("the test copies a store while it runs")
    laptop = await link(alice)
    backup = desk.store.copy()
    tablet = await link(alice)
    await log_out(alice, tablet)
    alice.person.publish()
    desk.store = backup
    assert isinstance(await laptop.log_in(), Welcome)
    everybody = sealed_for(alice.person)
    assert isinstance(only(await bob.ask(bob.submit(everybody))), ListsChanged)
    assert isinstance(await laptop.ask(PublishLists(tuple(alice.person.run))), Done)
    assert isinstance(only(await bob.ask(bob.submit(everybody))), Accepted)


async def test_a_phone_heals_with_a_renewal(desk: RelayDesk, alice: RelayDevice) -> None:
    """A phone need not have the prekeys of a companion that it lists no more newly."""
    if not isinstance(desk.store, MemoryRelayStore):
        pytest.skip("the test copies a store while it runs")
    backup = desk.store.copy()
    tablet = await link(alice)
    desk.store = backup
    run = tuple(alice.person.run)
    assert await alice.ask(PublishLists(run)) == Refused("prekeys-missing")
    alice.person.publish()
    assert isinstance(await alice.ask(PublishLists(tuple(alice.person.run))), Done)
    assert isinstance(await tablet.log_in(), Welcome)


async def test_a_recovery_cuts_the_old_phone(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """A higher generation with its prekeys; kept companions keep their mail."""
    laptop, tablet = await link(alice), await link(alice)
    await bob.send(alice.person)
    newest = alice.person.recover(kept=[laptop.address.device])
    phone = RelayDevice(desk, alice.person, alice.person.phone, newest.primary)
    frame = Recover(alice.account_id, (newest.signed,), phone.stock())
    assert isinstance(await desk.ask_as_guest(frame), Done)
    cut = {effect.address for effect in desk.effects if isinstance(effect, CutDevice)}
    assert cut == {alice.address, tablet.address}
    assert isinstance(await phone.log_in(), Welcome)
    assert isinstance(await alice.log_in(), NotListed)
    assert len((await laptop.read()).entries) == 1
    assert isinstance(await desk.ask_as_guest(frame), Done)
    assert desk.effects == []


async def test_a_recovery_on_the_same_phone_renews_its_prekeys(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """Number, keys and mail stay; the old stock is gone."""
    await bob.send(alice.person)
    newest = alice.person.recover(kept=[], same_phone=True)
    phone = RelayDevice(desk, alice.person, alice.keys, newest.primary)
    phone.randomness = seeded("after recovery")
    stock = phone.stock(one_time=3)
    frame = Recover(alice.account_id, (newest.signed,), stock)
    assert isinstance(await desk.ask_as_guest(frame), Done)
    welcome = await phone.log_in()
    assert isinstance(welcome, Welcome)
    assert (welcome.one_time_prekeys, welcome.mailbox_entries) == (3, 1)


async def test_lists_of_recoveries_are_counted(desk: RelayDesk, alice: RelayDevice) -> None:
    """They are kept for ever like all others, so a guest with an account key brings few too."""
    person = alice.person
    answers: list[ServerFrame] = []
    for _ in range(ACCOUNT_LISTS.burst // 4 + 1):
        first = len(person.lists)
        newest = person.recover(kept=[], same_phone=True)
        for _ in range(3):
            person.now = UnixMillis(person.now - HOUR_MS)  # publishing passes an hour
            person.publish()
        phone = RelayDevice(desk, person, alice.keys, newest.primary)
        answers.append(
            await desk.ask_as_guest(
                Recover(alice.account_id, tuple(person.run[first:]), phone.stock()),
                peer=f"guest {len(answers)}",
            )
        )
    assert [type(answer) for answer in answers[:-1]] == [Done] * (len(answers) - 1)
    assert isinstance(answers[-1], Refused)
    assert answers[-1].code == "rate-limited"


async def test_a_recovery_needs_a_higher_generation(desk: RelayDesk, alice: RelayDevice) -> None:
    """A guest can't renew a list, nor recover an account that nobody knows."""
    renewed = alice.person.publish().signed
    frame = Recover(alice.account_id, (renewed,), alice.stock())
    assert await desk.ask_as_guest(frame) == Refused("generation-not-higher")
    unknown = msgspec.structs.replace(frame, account_id=b"?" * 16)
    assert await desk.ask_as_guest(unknown) == Refused("no-such-account")
    base = alice.person.lists[0]
    await alice.ask(PublishLists((renewed,)))
    rival = sign_list(next_list_body(base, now=desk.now, lease_ms=DAY_MS), alice.keys.signing_seed)
    conflict = Recover(alice.account_id, (rival,), alice.stock())
    assert isinstance(await desk.ask_as_guest(conflict), Lists)


async def test_a_resignation_is_for_ever(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """A companion that resigned is gone at once, stays gone, and is served as resigned."""
    laptop = await link(alice)
    await bob.send(alice.person)
    resignation = sign_resignation(
        laptop.keys.signing_seed,
        alice.account_id,
        laptop.address.device,
        alice.person.newest.head.hash,
    )
    assert await bob.ask(Resign(resignation)) == Refused("not-allowed")
    assert isinstance(await laptop.ask(Resign(resignation)), Done)
    assert [type(effect) for effect in desk.effects] == [TellAccount, CutDevice]
    assert (await laptop.read()).entries == ()
    answer = await laptop.log_in()
    assert isinstance(answer, NotListed)
    assert answer.account.resignations == (resignation,)
    alice.person.publish()
    again = PublishLists((alice.person.newest.signed,), laptop.address.device, laptop.stock())
    assert isinstance(await alice.ask(again), Done)
    assert isinstance(await laptop.log_in(), NotListed)
    assert isinstance(await alice.ask(Resign(resignation)), Done)
    assert desk.effects == []


async def test_a_resignation_needs_the_companion_s_signature(alice: RelayDevice) -> None:
    """Nobody resigns for a sibling, and no phone resigns."""
    laptop = await link(alice)
    head_hash = alice.person.newest.head.hash
    forged = sign_resignation(
        alice.keys.signing_seed, alice.account_id, laptop.address.device, head_hash
    )
    assert await alice.ask(Resign(forged)) == Refused("bad-resignation-signature")
    own = sign_resignation(
        alice.keys.signing_seed, alice.account_id, alice.address.device, head_hash
    )
    assert await alice.ask(Resign(own)) == Refused("phone-stays")


async def test_a_wipe_order_is_served_to_the_removed_device(alice: RelayDevice) -> None:
    """It comes with the removing list, or later, and is checked against that list."""
    laptop, tablet = await link(alice), await link(alice)
    removing = alice.person.publish(remove=[laptop.address.device])
    seed = alice.keys.signing_seed
    order = sign_wipe_order(seed, alice.account_id, laptop.address.device, removing.head.hash)
    wrong = sign_wipe_order(seed, alice.account_id, tablet.address.device, removing.head.hash)
    unknown = sign_wipe_order(seed, alice.account_id, laptop.address.device, bytes(32))
    run = (removing.signed,)
    frame = PublishLists(run, wipe_orders=(wrong,))
    assert await alice.ask(frame) == Refused("device-not-removed")
    frame = PublishLists(run, wipe_orders=(unknown,))
    assert await alice.ask(frame) == Refused("no-such-list")
    assert isinstance(await alice.ask(PublishLists(run, wipe_orders=(order,))), Done)
    answer = await laptop.log_in()
    assert isinstance(answer, NotListed)
    assert answer.account.wipe_orders == (order,)
    renewed = alice.person.publish().signed
    assert isinstance(await alice.ask(PublishLists((renewed,), wipe_orders=(order,))), Done)


async def test_a_key_in_use_is_refused_at_publication_too(
    alice: RelayDevice, bob: RelayDevice
) -> None:
    """A companion can't be listed with a key of somebody else's device."""
    from untether.protocol.identity.certificate import Role
    from untether.protocol.identity.next_list import allocate_number

    number = allocate_number(alice.person.newest)
    certificate = alice.person.certify(bob.keys, number, Role.COMPANION)
    stolen = RelayDevice(alice.desk, alice.person, bob.keys, certificate)
    signed = alice.person.publish(add=certificate).signed
    frame = PublishLists((signed,), number, stolen.stock())
    assert await alice.ask(frame) == Refused("key-in-use")


async def test_activity_is_told_by_the_hour(desk: RelayDesk, alice: RelayDevice) -> None:
    """The own devices see when each of them was last here, and no finer."""
    laptop = await link(alice)
    await alice.log_in()
    status = await laptop.ask(FetchStatus())
    assert isinstance(status, Status)
    assert [one.last_active_at for one in status.activity] == [desk.now - desk.now % 3_600_000, 0]


def test_conflicts_are_codes_of_the_rules() -> None:
    """Each code that means “does not lead on” is one that the rules of lists raise."""
    from pathlib import Path

    from untether.protocol.identity import list_rules

    text = Path(list_rules.__file__).read_text(encoding="utf-8")
    assert all(f'"{code}"' in text for code in list_requests.CONFLICTS)
    assert limits.LISTS_PER_ANSWER_MAX >= 2
