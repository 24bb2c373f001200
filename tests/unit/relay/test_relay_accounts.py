"""Accounts: registration, names, invitations (spec 08, "Accounts")."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from tests.unit.identity.identity_people import Person
from tests.unit.relay.relay_desk import (
    RelayDesk,
    RelayDevice,
    make_phone,
    register,
    registration,
)

from untether.base.identifiers import DAY_MS, HOUR_MS, DeviceNumber, UnixMillis
from untether.base.limits import (
    ACCOUNT_LISTS_BURST,
    INVITATION_MS,
    LISTS_PER_ANSWER_MAX,
    NAME_LOOKUPS_BURST,
)
from untether.protocol.identity.certificate import Role
from untether.protocol.identity.next_list import first_list_body
from untether.relay.accounts import create_invitation
from untether.wire.client_frames import ClaimPrekeys, ResolveName
from untether.wire.server_frames import Bundles, Done, Lists, Refused, Welcome


async def test_a_registration_admits_name_list_and_prekeys(
    alice: RelayDevice, bob: RelayDevice
) -> None:
    """Afterwards the phone logs in, the name resolves, and its prekeys are there."""
    welcome = await alice.log_in()
    assert isinstance(welcome, Welcome)
    assert (welcome.head, welcome.one_time_prekeys) == (alice.person.newest.head, 2)
    resolved = await bob.ask(ResolveName("alice"))
    assert isinstance(resolved, Lists)
    assert resolved.account_id == alice.account_id
    assert resolved.account.lists == tuple(alice.person.run)
    claimed = await bob.ask(ClaimPrekeys(alice.account_id, (alice.address.device,)))
    assert isinstance(claimed, Bundles)
    assert claimed.bundles[0].one_time is not None


async def test_the_same_registration_again_changes_nothing(desk: RelayDesk) -> None:
    """A lost answer costs nothing."""
    phone = make_phone(desk, "alice")
    frame = registration(phone)
    assert isinstance(await desk.ask_as_guest(frame), Done)
    assert isinstance(await desk.ask_as_guest(frame), Done)
    welcome = await phone.log_in()
    assert isinstance(welcome, Welcome)
    assert welcome.one_time_prekeys == 2


async def test_a_name_is_never_given_to_a_second_account(
    desk: RelayDesk, alice: RelayDevice
) -> None:
    """Nor does an account get a second name."""
    mallory = make_phone(desk, "mallory")
    taken = msgspec.structs.replace(registration(mallory), name="alice")
    assert await desk.ask_as_guest(taken) == Refused("name-taken")
    renamed = msgspec.structs.replace(registration(alice), name="alice2")
    assert await desk.ask_as_guest(renamed) == Refused("account-exists")
    assert await desk.ask_as_guest(ResolveName("alice2")) == Refused("no-such-account")


async def test_nothing_is_admitted_with_a_broken_part(desk: RelayDesk) -> None:
    """A registration whose prekeys belong to somebody else leaves no trace of the name."""
    alice, bob = make_phone(desk, "alice"), make_phone(desk, "bob")
    mixed = msgspec.structs.replace(registration(alice), prekeys=bob.stock())
    assert await desk.ask_as_guest(mixed) == Refused("prekey-signature")
    forged = msgspec.structs.replace(registration(alice), lists=(bob.person.run[0],))
    assert await desk.ask_as_guest(forged) == Refused("prekey-signature")
    assert await desk.ask_as_guest(ResolveName("alice")) == Refused("no-such-account")


async def test_a_device_key_belongs_to_one_device(desk: RelayDesk, alice: RelayDevice) -> None:
    """Another account can't list a key that is in use: one key, one device."""
    thief = Person("mallory")
    thief.phone, thief.lists = alice.keys, []
    certificate = thief.certify(alice.keys, DeviceNumber(0), Role.PRIMARY)
    thief.sign(first_list_body(certificate, desk.now, 30 * DAY_MS))
    phone = RelayDevice(desk, thief, alice.keys, certificate)
    assert await desk.ask_as_guest(registration(phone)) == Refused("key-in-use")


async def test_a_lease_may_be_bounded_by_the_operator(desk: RelayDesk) -> None:
    """A relay that wants shorter leases says so and refuses longer ones."""
    desk.rules = replace(desk.rules, lease_max_ms=7 * DAY_MS)
    assert await desk.ask_as_guest(registration(make_phone(desk, "alice"))) == Refused(
        "lease-too-long"
    )


async def test_a_closed_relay_takes_nobody(desk: RelayDesk) -> None:
    """The operator's policy holds for everybody."""
    desk.rules = replace(desk.rules, registration="closed")
    answer = await desk.ask_as_guest(registration(make_phone(desk, "alice")))
    assert answer == Refused("registration-closed")


async def test_an_invitation_admits_one_account(desk: RelayDesk) -> None:
    """A code works once, in any case, and its use is repeatable by its account."""
    desk.rules = replace(desk.rules, registration="invitation")
    code = await desk.store.transact(create_invitation, desk.now, desk.randomness)
    alice, bob = make_phone(desk, "alice"), make_phone(desk, "bob")
    assert await desk.ask_as_guest(registration(alice)) == Refused("invitation-needed")
    invited = registration(alice, invitation=f" {code[:4].upper()} {code[4:]}\n")
    assert isinstance(await desk.ask_as_guest(invited), Done)
    assert isinstance(await desk.ask_as_guest(invited), Done)
    assert await desk.ask_as_guest(registration(bob, code)) == Refused("invitation-needed")


async def test_an_invitation_survives_a_registration_that_fails(desk: RelayDesk) -> None:
    """A taken name does not use the code up."""
    await register(desk, "alice")
    desk.rules = replace(desk.rules, registration="invitation")
    code = await desk.store.transact(create_invitation, desk.now, desk.randomness)
    bob = make_phone(desk, "bob")
    taken = msgspec.structs.replace(registration(bob, code), name="alice")
    assert await desk.ask_as_guest(taken) == Refused("name-taken")
    assert isinstance(await desk.ask_as_guest(registration(bob, code)), Done)


async def test_an_invitation_ends(desk: RelayDesk) -> None:
    """A code that nobody used for a week is worth nothing."""
    desk.rules = replace(desk.rules, registration="invitation")
    code = await desk.store.transact(create_invitation, desk.now, desk.randomness)
    desk.pass_time(INVITATION_MS)
    answer = await desk.ask_as_guest(registration(make_phone(desk, "alice"), code))
    assert answer == Refused("invitation-needed")


async def test_newcomers_bring_few_lists(desk: RelayDesk) -> None:
    """All lists are kept for ever: an address that registers long chains is soon told to wait."""
    taken = 0
    while True:
        phone = make_phone(desk, f"m{taken}")
        for _ in range(LISTS_PER_ANSWER_MAX - 1):
            phone.person.now = UnixMillis(phone.person.now - HOUR_MS)  # publishing passes an hour
            phone.person.publish()
        answer = await desk.ask_as_guest(registration(phone))
        if answer != Done(desk.now):
            break
        taken += 1
    assert isinstance(answer, Refused)
    assert answer.code == "rate-limited"
    assert taken == ACCOUNT_LISTS_BURST // (LISTS_PER_ANSWER_MAX - 1)
    assert await desk.ask_as_guest(registration(make_phone(desk, "bob"))) == Done(desk.now)


@pytest.mark.parametrize("who", ["guest", "device"])
async def test_names_can_not_be_listed(desk: RelayDesk, alice: RelayDevice, who: str) -> None:
    """Looking names up is limited, for a network address as for a device, hit or miss."""
    codes: list[str] = []
    for number in range(NAME_LOOKUPS_BURST + 1):
        frame = ResolveName("alice" if number % 2 else f"nobody{number}")
        desk.pass_time(2_000 if who == "guest" else 0)
        answer = await (desk.ask_as_guest(frame) if who == "guest" else alice.ask(frame))
        codes.append(answer.code if isinstance(answer, Refused) else "")
    limited = codes.count("rate-limited")
    assert limited == (0 if who == "guest" else 1)


async def test_a_guest_address_is_limited(desk: RelayDesk) -> None:
    """One network address asks only so much without logging in; another one is free."""
    answers = [await desk.ask_as_guest(ResolveName("nobody")) for _ in range(40)]
    assert answers[-1] == Refused("rate-limited", answers[-1].retry_after_ms)  # type: ignore[union-attr]
    assert await desk.ask_as_guest(ResolveName("nobody"), peer="192.0.2.2") == Refused(
        "no-such-account"
    )
