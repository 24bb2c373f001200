"""Logins and who may ask what (spec 08, "Login" and "Who may send what")."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import msgspec
import pytest
from tests.unit.relay.relay_desk import (
    RelayDesk,
    RelayDevice,
    link,
    make_companion,
    make_phone,
    registration,
    sealed_for,
)

from untether.base.identifiers import HOUR_MS, MessageId, SlotId, UnixMillis
from untether.base.limits import LISTS_PER_ANSWER_MAX
from untether.relay import login
from untether.relay.budgets import (
    ACCOUNT_LISTS,
    GUEST_REQUESTS,
    LINK_SLOTS,
    LOGINS,
    SIGNED_UPLOADS,
    Budgets,
    Rate,
    spend,
)
from untether.relay.principals import Bearer, Device, Guest, Principal
from untether.relay.requests import RULES
from untether.relay.transaction import RelayStore
from untether.wire.client_frames import (
    Acknowledge,
    ClaimLinkSlot,
    ClaimPrekeys,
    ClientFrame,
    DepositPrekeys,
    FetchLists,
    FetchStatus,
    GetLinkItem,
    OpenLinkSlot,
    PublishLists,
    PutLinkItem,
    Recover,
    Resign,
    ResolveName,
    StartReceiving,
    SubscribePush,
    UnsubscribePush,
)
from untether.wire.records import SignedObject, Stamp
from untether.wire.server_frames import NotListed, Refused, Welcome

SLOT = SlotId(b"s" * 16)

WHO_MAY = {
    "Login": "guest",
    "Register": "guest",
    "Recover": "guest",
    "PublishLists": "device",
    "FetchLists": "guest bearer device",
    "ResolveName": "guest device",
    "Resign": "device",
    "DepositPrekeys": "device",
    "ClaimPrekeys": "device",
    "Submit": "device",
    "SubmitDirect": "device",
    "StartReceiving": "device",
    "Acknowledge": "device",
    "FetchStatus": "device",
    "SubscribePush": "device",
    "UnsubscribePush": "device",
    "OpenLinkSlot": "guest",
    "ClaimLinkSlot": "device",
    "PutLinkItem": "guest device",
    "GetLinkItem": "guest device",
}
"""The table of spec 08, written a second time on purpose."""


async def test_a_listed_device_is_welcome(desk: RelayDesk, alice: RelayDevice) -> None:
    """Its session becomes a device's; the counter tells of logins before this one."""
    first = await alice.log_in(counter=7)
    assert isinstance(first, Welcome)
    assert (first.counter, first.head) == (0, alice.person.newest.head)
    assert alice.session.principal == Device(alice.address)
    desk.pass_time(HOUR_MS)
    second = await alice.log_in(counter=3)
    assert isinstance(second, Welcome)
    assert second.counter == 7
    third = await alice.log_in(counter=8)
    assert isinstance(third, Welcome)
    assert third.counter == 7


async def test_a_certified_device_that_is_not_listed_is_a_bearer(alice: RelayDevice) -> None:
    """A companion whose list has not come yet asks whether it was admitted."""
    companion = make_companion(alice)
    answer = await companion.log_in()
    assert isinstance(answer, NotListed)
    assert companion.session.principal == Bearer(companion.address)
    assert await companion.ask(FetchStatus()) == Refused("not-allowed")


async def test_other_keys_under_a_listed_number_are_not_listed(alice: RelayDevice) -> None:
    """A number alone is nobody: the keys must be those of the list."""
    from untether.protocol.identity.certificate import Role

    keys = alice.person.new_device()
    certificate = alice.person.certify(keys, alice.address.device, Role.PRIMARY)
    imposter = RelayDevice(alice.desk, alice.person, keys, certificate)
    assert isinstance(await imposter.log_in(), NotListed)


async def test_an_account_that_nobody_knows(desk: RelayDesk) -> None:
    """A relay that was emptied says so."""
    assert await make_phone(desk, "alice").log_in() == Refused("no-such-account")


async def test_a_login_is_bound_to_its_connection_and_origin(
    desk: RelayDesk, alice: RelayDevice
) -> None:
    """Neither another connection, nor another site, nor another relay can use a login."""
    here, there = desk.session(Guest("192.0.2.1")), desk.session(Guest("192.0.2.2"))
    frame = alice.login(here)
    assert await desk.ask(there, frame) == Refused("bad-login-signature")
    phished = alice.login(here, origin="https://evil.example")
    assert await desk.ask(here, phished) == Refused("wrong-origin")
    moved = msgspec.structs.replace(phished, origin=frame.origin)
    assert await desk.ask(here, moved) == Refused("bad-login-signature")
    other_relay = replace(here, rules=replace(here.rules, relay_id=b"x" * 16))  # type: ignore[arg-type]
    assert await desk.ask(other_relay, frame) == Refused("bad-login-signature")
    raised = msgspec.structs.replace(frame, counter=9)
    assert await desk.ask(here, raised) == Refused("bad-login-signature")


async def test_without_the_login_check_another_connection_gets_in(
    desk: RelayDesk, alice: RelayDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: the signature over the nonce is what keeps a login on its connection."""
    here, there = desk.session(Guest("192.0.2.1")), desk.session(Guest("192.0.2.2"))
    monkeypatch.setattr(login, "verify_login", lambda *_: None)
    assert isinstance(await desk.ask(there, alice.login(here)), Welcome)


def all_frames(phone: RelayDevice, desk: RelayDesk) -> list[ClientFrame]:
    """Return one frame of each kind."""
    stamp = Stamp(1, 0)
    run = tuple(phone.person.run)
    signed = SignedObject(b"x", bytes(64))
    return [
        phone.login(desk.session(Guest("192.0.2.9"))),
        registration(phone),
        Recover(phone.account_id, run, phone.stock()),
        PublishLists(run),
        FetchLists(phone.account_id),
        ResolveName("alice"),
        Resign(signed),
        DepositPrekeys(phone.stock()),
        ClaimPrekeys(phone.account_id, (phone.address.device,)),
        phone.submit(sealed_for(phone.person, phone), message_id=MessageId(bytes(16))),
        phone.submit_direct(phone),
        StartReceiving(),
        Acknowledge(stamp),
        FetchStatus(),
        SubscribePush("https://push.example.org/x"),
        UnsubscribePush(),
        OpenLinkSlot(SLOT, b"offer"),
        ClaimLinkSlot(SLOT),
        PutLinkItem(SLOT, 2, b"item"),
        GetLinkItem(SLOT, 1),
    ]


async def test_who_may_send_what(desk: RelayDesk, alice: RelayDevice) -> None:
    """Every frame times every principal: exactly the permitted cells get past the table."""
    principals: dict[str, Principal] = {
        "guest": Guest("192.0.2.1"),
        "bearer": Bearer(alice.address),
        "device": Device(alice.address),
    }
    frames = all_frames(alice, desk)
    assert {type(frame) for frame in frames} == set(get_args(ClientFrame)) == set(RULES)
    for frame in frames:
        for name, principal in principals.items():
            answer = await desk.ask(desk.session(principal), frame)
            is_refused = answer == Refused("not-allowed")
            is_permitted = name in WHO_MAY[type(frame).__name__].split()
            assert is_refused != is_permitted, (frame, name, answer)


async def test_an_office_behind_one_address_can_log_in_at_once(
    desk: RelayDesk, alice: RelayDevice
) -> None:
    """Logins have a larger rate of their own; what guests ask for stays as narrow as it was."""
    for counter in range(1, 2 * GUEST_REQUESTS.burst):
        assert isinstance(await alice.log_in(counter), Welcome)
    assert not isinstance(
        await desk.ask_as_guest(FetchLists(alice.account_id), "192.0.2.1"), Refused
    )


async def test_signed_uploads_are_limited(desk: RelayDesk, alice: RelayDevice) -> None:
    """Checking signatures costs the relay time, so a device brings only so many."""
    frame = DepositPrekeys(alice.stock(one_time=0))
    answers = [await alice.ask(frame) for _ in range(SIGNED_UPLOADS.burst + 1)]
    assert [isinstance(one, Refused) for one in answers] == [False] * SIGNED_UPLOADS.burst + [True]


async def test_an_account_brings_only_so_many_lists(desk: RelayDesk, alice: RelayDevice) -> None:
    """The relay keeps every list, so nobody may fill its disk with them."""
    frame = PublishLists(registration(alice).lists * LISTS_PER_ANSWER_MAX)
    answers = [
        await alice.ask(frame) for _ in range(ACCOUNT_LISTS.burst // LISTS_PER_ANSWER_MAX + 1)
    ]
    refused = [one for one in answers if isinstance(one, Refused) and one.code == "rate-limited"]
    assert refused == answers[-1:]


async def test_one_address_opens_few_slots(desk: RelayDesk) -> None:
    """A few guests can't take all link slots."""
    answers = [
        await desk.ask_as_guest(OpenLinkSlot(SlotId(bytes([number]) * 16), b"offer"))
        for number in range(LINK_SLOTS.burst + 1)
    ]
    assert isinstance(answers[-1], Refused)
    assert not isinstance(answers[-2], Refused)


async def test_a_failing_disk_is_no_refusal(
    desk: RelayDesk, alice: RelayDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the operator must mend comes out of ``handle`` as an error, for the log."""
    from untether.base.errors import PlatformError

    class BrokenStore:
        async def transact(self, *_args: object, **_kwargs: object) -> object:
            raise PlatformError("disk-full", "The disk is full.")

    monkeypatch.setattr(desk, "store", BrokenStore())
    with pytest.raises(PlatformError):
        await alice.ask(FetchStatus())


async def test_a_device_of_a_vanished_account_is_refused(
    desk: RelayDesk, store: RelayStore
) -> None:
    """A session that outlives its account at an emptied relay learns so."""
    phone = make_phone(desk, "alice")
    assert await phone.ask(FetchStatus()) == Refused("no-such-account")


async def test_a_companion_stays_after_a_renewal(alice: RelayDevice) -> None:
    """A renewed list changes nothing for the devices that it keeps."""
    laptop = await link(alice)
    alice.person.publish()
    await alice.ask(PublishLists((alice.person.newest.signed,)))
    assert isinstance(await laptop.log_in(), Welcome)


def test_a_rate_refills_one_by_one() -> None:
    """After the burst there is one more each interval, and the wait is named exactly."""
    rate = Rate(burst=3, refill_ms=100)
    due_at = 0.0
    for _ in range(3):
        spent = spend(due_at, rate, 1_000)  # type: ignore[arg-type]
        assert spent.retry_after_ms == 0
        due_at = spent.due_at
    refused = spend(due_at, rate, 1_000)  # type: ignore[arg-type]
    assert (refused.due_at, refused.retry_after_ms) == (due_at, 101)
    assert spend(due_at, rate, 1_101).retry_after_ms == 0  # type: ignore[arg-type]


def test_a_clock_that_went_back_refuses_for_one_refill_only() -> None:
    """What was spent while the clock was years ahead doesn't shut anybody out for years."""
    rate = Rate(burst=3, refill_ms=100)
    ahead = spend(0, rate, 10**12).due_at  # type: ignore[arg-type]
    refused = spend(ahead, rate, 1_000)  # type: ignore[arg-type]
    assert (refused.due_at, refused.retry_after_ms) == (1_300, 101)
    assert spend(refused.due_at, rate, 1_101).retry_after_ms == 0  # type: ignore[arg-type]


def test_an_operator_s_rate_counts_instead_of_the_built_in_one() -> None:
    """Only the rate that was replaced; a twin without it has the built-in burst."""
    own, built_in = Budgets({GUEST_REQUESTS: Rate(1, 60_000)}), Budgets()
    for budgets, waits in ((own, [0, 60_001]), (built_in, [0, 0])):
        taken = [budgets.take("somebody", GUEST_REQUESTS, UnixMillis(1_000)) for _ in range(2)]
        assert taken == waits
        assert budgets.take("somebody else", LOGINS, UnixMillis(1_000)) == 0


def test_budgets_forget_what_is_full_again_and_stay_bounded() -> None:
    """A flood of addresses can't grow the relay's memory."""
    budgets = Budgets(states_max=10)
    for number in range(10):
        budgets.take(("old", number), GUEST_REQUESTS, 1_000)  # type: ignore[arg-type]
    later = 10_000_000
    for number in range(100):
        budgets.take(("new", number), GUEST_REQUESTS, later)  # type: ignore[arg-type]
        assert len(budgets._due_at) <= 10
    assert ("old", 0) not in budgets._due_at
    assert ("new", 99) in budgets._due_at
