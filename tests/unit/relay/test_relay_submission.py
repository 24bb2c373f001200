"""Submissions: compared with the lists, stored once, repeatable (spec 08, "Submission")."""

from __future__ import annotations

import msgspec
import pytest
from tests.unit.relay.relay_desk import (
    BODY,
    HEADER,
    RelayDesk,
    RelayDevice,
    link,
    log_out,
    only,
    sealed_for,
)

from untether.base import limits
from untether.base.identifiers import DAY_MS, AccountId, MessageId
from untether.protocol.identity.resignation import sign_resignation
from untether.relay import submission
from untether.relay.outcome import WakeMailbox
from untether.wire.client_frames import Acknowledge, Copy, Recipient, Resign, Submit
from untether.wire.server_frames import (
    Accepted,
    AccountRefused,
    Done,
    ListsChanged,
    Refused,
    Submitted,
)


async def test_one_copy_for_each_device_and_one_wake_up(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """A message reaches every device of both people but the sending one, with one accept time."""
    laptop, tablet = await link(alice), await link(bob)
    answer = await alice.ask(alice.submit(sealed_for(bob.person), sealed_for(alice.person, alice)))
    assert isinstance(answer, Submitted)
    assert [type(verdict) for verdict in answer.verdicts] == [Accepted, Accepted]
    assert {effect.address for effect in desk.effects if isinstance(effect, WakeMailbox)} == {
        bob.address,
        tablet.address,
        laptop.address,
    }
    for device in (bob, tablet, laptop):
        (entry,) = (await device.read()).entries
        assert (entry.body, entry.header, entry.absent) == (BODY, HEADER, None)
        assert (entry.sender, entry.sender_device) == alice.address
        assert entry.accepted_at == desk.now
    assert (await alice.read()).entries == ()


async def test_a_repeat_stores_nothing_and_is_accepted_at_the_same_time(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """A lost answer costs nothing: the repeat gets it again, even when the list moved on."""
    frame = alice.submit(sealed_for(bob.person))
    first = only(await alice.ask(frame))
    await link(bob)
    desk.pass_time(60_000)
    assert only(await alice.ask(frame)) == first
    assert desk.effects == []
    assert len((await bob.read()).entries) == 1


async def test_a_repeat_for_nobody_keeps_the_time_at_which_a_companion_got_it(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """The phone is alone by the time of its repeat, and both must show one time."""
    laptop = await link(alice)
    to_bob = sealed_for(bob.person)
    frame = alice.submit(to_bob, sealed_for(alice.person, alice))
    first = await alice.ask(frame)
    assert (await laptop.read()).entries[0].accepted_at == desk.now
    desk.pass_time(31 * DAY_MS)
    alone = Recipient(alice.account_id, alice.person.newest.head, ())
    repeat = msgspec.structs.replace(frame, recipients=(to_bob, alone))
    assert await alice.ask(repeat) == first


async def test_the_same_message_id_of_another_device_is_another_message(
    alice: RelayDevice, bob: RelayDevice
) -> None:
    """Ids are per sending device, so nobody can block another one's message by its id."""
    laptop = await link(alice)
    frame = alice.submit(sealed_for(bob.person))
    assert isinstance(only(await alice.ask(frame)), Accepted)
    assert isinstance(only(await laptop.ask(frame)), Accepted)
    assert len((await bob.read()).entries) == 2


async def test_a_stale_head_gets_the_missing_lists(alice: RelayDevice, bob: RelayDevice) -> None:
    """The sender that missed a new device hears of it with the signed list; nothing is stored."""
    stale = sealed_for(bob.person)
    tablet = await link(bob)
    verdict = only(await alice.ask(alice.submit(stale)))
    assert isinstance(verdict, ListsChanged)
    assert verdict.account.lists == (bob.person.newest.signed,)
    assert (await bob.read()).entries == (await tablet.read()).entries == ()


async def test_all_verdicts_share_the_room_for_lists(
    alice: RelayDevice, bob: RelayDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many submissions run at once; who gets no lists is told that there are more."""
    laptop = await link(alice)
    stale = sealed_for(bob.person), sealed_for(alice.person, laptop)
    await link(alice)
    await link(bob)
    room = len(bob.person.newest.signed.body)
    monkeypatch.setattr(submission, "LISTS_OF_VERDICTS_BYTES_MAX", room)
    answer = await laptop.ask(laptop.submit(*stale))
    assert isinstance(answer, Submitted)
    accounts = [one.account for one in answer.verdicts if isinstance(one, ListsChanged)]
    assert [(len(one.lists), one.more) for one in accounts] == [(1, False), (0, True)]


async def test_without_the_head_comparison_a_new_device_is_missed(
    alice: RelayDevice, bob: RelayDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: the head comparison is what refuses a stale list of the same devices."""
    stale = sealed_for(bob.person)
    bob.person.publish()
    from untether.wire.client_frames import PublishLists

    await bob.ask(PublishLists((bob.person.newest.signed,)))
    assert isinstance(only(await alice.ask(alice.submit(stale))), ListsChanged)
    monkeypatch.setattr(submission, "is_newest", lambda *_: True)
    assert isinstance(only(await alice.ask(alice.submit(stale))), Accepted)


async def test_an_incomplete_set_is_refused_and_its_twin_is_not(
    alice: RelayDevice, bob: RelayDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender can't leave out a device under the right head; the set comparison sees it."""
    await link(bob)
    part = Recipient(bob.account_id, bob.person.newest.head, (Copy(bob.address.device, HEADER),))
    assert isinstance(only(await alice.ask(alice.submit(part))), ListsChanged)
    monkeypatch.setattr(submission, "covers_devices", lambda *_: True)
    assert isinstance(only(await alice.ask(alice.submit(part))), Accepted)


async def test_each_account_stands_for_itself(alice: RelayDevice, bob: RelayDevice) -> None:
    """One account's changed list does not hold up another's copy."""
    stale = sealed_for(bob.person)
    await link(bob)
    answer = await alice.ask(alice.submit(stale, sealed_for(alice.person, alice)))
    assert isinstance(answer, Submitted)
    assert [type(verdict) for verdict in answer.verdicts] == [ListsChanged, Accepted]


async def test_an_empty_own_set_answers_the_accept_time(
    desk: RelayDesk, alice: RelayDevice
) -> None:
    """Note to self with one device: nobody to send to, and an accept time."""
    verdict = only(await alice.ask(alice.submit(sealed_for(alice.person, alice))))
    assert verdict == Accepted(alice.account_id, desk.now)


async def test_reasons_count_as_present_and_leave_a_placeholder(
    alice: RelayDevice, bob: RelayDevice
) -> None:
    """A device that can't be sealed for learns that there was a message, and why."""
    tablet = await link(bob)
    copies = (Copy(bob.address.device, HEADER), Copy(tablet.address.device, None, "asleep"))
    frame = alice.submit(Recipient(bob.account_id, bob.person.newest.head, copies))
    assert isinstance(only(await alice.ask(frame)), Accepted)
    (entry,) = (await tablet.read()).entries
    assert (entry.header, entry.body, entry.absent) == (None, None, "asleep")


async def test_nothing_sealed_for_somebody_else_is_not_taken(
    alice: RelayDevice, bob: RelayDevice
) -> None:
    """Placeholders alone are no message; such a one waits at its sender."""
    copies = (Copy(bob.address.device, None, "unsealable"),)
    frame = alice.submit(Recipient(bob.account_id, bob.person.newest.head, copies))
    assert only(await alice.ask(frame)) == AccountRefused(bob.account_id, "nothing-sealed")


async def test_a_resigned_device_gets_nothing(alice: RelayDevice, bob: RelayDevice) -> None:
    """A header for a resigned device is answered with the resignation; its name alone is fine."""
    tablet = await link(bob)
    everybody = sealed_for(bob.person)
    resignation = sign_resignation(
        tablet.keys.signing_seed,
        bob.account_id,
        tablet.address.device,
        bob.person.newest.head.hash,
    )
    assert isinstance(await tablet.ask(Resign(resignation)), Done)
    verdict = only(await alice.ask(alice.submit(everybody)))
    assert isinstance(verdict, ListsChanged)
    assert verdict.account.resignations == (resignation,)
    copies = (everybody.copies[0], Copy(tablet.address.device, None, "resigned"))
    named = msgspec.structs.replace(everybody, copies=copies)
    assert isinstance(only(await alice.ask(alice.submit(named))), Accepted)
    left_out = msgspec.structs.replace(everybody, copies=copies[:1])
    assert isinstance(only(await alice.ask(alice.submit(left_out))), Accepted)
    assert len((await bob.read()).entries) == 2


async def test_a_resignation_that_the_relay_lacks_counts_as_present(
    alice: RelayDevice, bob: RelayDevice
) -> None:
    """A sender that holds a resignation is not forced to seal for that device."""
    tablet = await link(bob)
    copies = (Copy(bob.address.device, HEADER), Copy(tablet.address.device, None, "resigned"))
    frame = alice.submit(Recipient(bob.account_id, bob.person.newest.head, copies))
    assert isinstance(only(await alice.ask(frame)), Accepted)
    assert (await tablet.read()).entries == ()


async def test_after_the_lease_the_phone_alone_is_enough(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """With an ended lease both the full set and the phone alone are admitted."""
    await link(bob)
    full = sealed_for(bob.person)
    phone_only = msgspec.structs.replace(full, copies=full.copies[:1])
    companion_only = msgspec.structs.replace(full, copies=full.copies[1:])
    assert isinstance(only(await alice.ask(alice.submit(phone_only))), ListsChanged)
    desk.pass_time(31 * DAY_MS)
    assert isinstance(only(await alice.ask(alice.submit(phone_only))), Accepted)
    assert isinstance(only(await alice.ask(alice.submit(full))), Accepted)
    assert isinstance(only(await alice.ask(alice.submit(companion_only))), ListsChanged)


async def test_shapes_that_no_list_makes_right_are_malformed(
    alice: RelayDevice, bob: RelayDevice
) -> None:
    """Repeated accounts or devices, and copies with both or neither part, change nothing."""
    good = sealed_for(bob.person)
    copy = good.copies[0]
    broken = [
        (good, good),
        (msgspec.structs.replace(good, copies=(copy, copy)),),
        (msgspec.structs.replace(good, copies=(Copy(0, None),)),),  # type: ignore[arg-type]
        (msgspec.structs.replace(good, copies=(Copy(0, HEADER, "asleep"),)),),  # type: ignore[arg-type]
    ]
    for recipients in broken:
        assert await alice.ask(alice.submit(*recipients)) == Refused("malformed")
    assert (await bob.read()).entries == ()


async def test_an_unknown_account_is_named(alice: RelayDevice, bob: RelayDevice) -> None:
    """The sender learns that there is nobody under the id."""
    nobody = msgspec.structs.replace(sealed_for(bob.person), account_id=b"?" * 16)
    assert only(await alice.ask(alice.submit(nobody))) == AccountRefused(
        nobody.account_id, "no-such-account"
    )
    direct = msgspec.structs.replace(alice.submit_direct(bob), account_id=b"?" * 16)
    assert only(await alice.ask(direct)) == AccountRefused(direct.account_id, "no-such-account")


async def test_direct_reaches_one_device(alice: RelayDevice, bob: RelayDevice) -> None:
    """A control message compares head and presence only, and is repeatable by device."""
    tablet = await link(bob)
    frame = alice.submit_direct(tablet)
    first = only(await alice.ask(frame))
    assert isinstance(first, Accepted)
    assert only(await alice.ask(frame)) == first
    to_phone = msgspec.structs.replace(frame, device=bob.address.device)
    assert isinstance(only(await alice.ask(to_phone)), Accepted)
    assert len((await tablet.read()).entries) == len((await bob.read()).entries) == 1


async def test_direct_refuses_the_stale_the_absent_and_oneself(
    alice: RelayDevice, bob: RelayDevice
) -> None:
    """Head and presence are compared, and a device has nothing to say to itself."""
    stale = bob.person.newest.head
    tablet = await link(bob)
    assert isinstance(only(await alice.ask(alice.submit_direct(bob, head=stale))), ListsChanged)
    to_tablet = alice.submit_direct(tablet)
    await log_out(bob, tablet)
    gone = msgspec.structs.replace(to_tablet, head=bob.person.newest.head)
    assert isinstance(only(await alice.ask(gone)), ListsChanged)
    assert await alice.ask(alice.submit_direct(alice)) == Refused("malformed")


async def test_a_body_lives_until_its_last_reference(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """Three mailboxes share one body; the last acknowledgement deletes it."""
    laptop, tablet = await link(alice), await link(bob)
    await alice.ask(alice.submit(sealed_for(bob.person), sealed_for(alice.person, alice)))
    for device in (bob, laptop, tablet):
        deliveries = await device.read()
        assert deliveries.entries[0].body == BODY
        await device.ask(Acknowledge(deliveries.entries[0].stamp))
        assert (await device.read()).entries == ()

    async def body_is_gone(tx: object) -> bool:
        from tests.unit.relay.relay_rows import count_bodies

        return await count_bodies(tx) == 0

    assert await desk.store.transact(body_is_gone)


async def test_a_device_submits_only_so_much(desk: RelayDesk, alice: RelayDevice) -> None:
    """Submissions are limited for each device over all its connections."""
    note = sealed_for(alice.person, alice)
    for _ in range(limits.SUBMIT_BURST):
        assert isinstance(only(await alice.ask(alice.submit(note))), Accepted)
    refused = await alice.ask(alice.submit(note))
    assert isinstance(refused, Refused)
    assert refused.code == "rate-limited"
    desk.pass_time(refused.retry_after_ms)
    assert isinstance(only(await alice.ask(alice.submit(note))), Accepted)


async def test_an_account_writes_to_only_so_many(desk: RelayDesk, alice: RelayDevice) -> None:
    """That somebody was written to is remembered for a month, so all devices' are counted."""
    laptop = await link(alice)
    unknown = [
        Recipient(
            AccountId(number.to_bytes(32, "big")),
            alice.person.newest.head,
            (Copy(alice.address.device, HEADER),),
        )
        for number in range(limits.ACCOUNTS_PER_SUBMIT_MAX)
    ]
    for number in range(limits.RECIPIENTS_BURST // len(unknown)):
        device = (alice, laptop)[number % 2]
        assert isinstance(await device.ask(device.submit(*unknown)), Submitted)
    refused = await laptop.ask(laptop.submit(*unknown))
    assert isinstance(refused, Refused)
    assert refused.code == "rate-limited"
    one = await alice.ask(alice.submit_direct(laptop))
    assert one == Refused("rate-limited", 1000 // limits.RECIPIENTS_PER_SECOND + 1)
    desk.pass_time(refused.retry_after_ms)
    assert isinstance(await laptop.ask(laptop.submit(*unknown)), Submitted)


async def test_a_logged_out_sender_is_cut(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """A socket that the news has not reached yet can't send: presence is part of the decision."""
    laptop = await link(alice)
    await log_out(alice, laptop)
    frame = laptop.submit(sealed_for(bob.person))
    assert await laptop.ask(frame) == Refused("not-listed")
    assert [type(effect).__name__ for effect in desk.effects] == ["CutDevice"]
    assert (await bob.read()).entries == ()


def test_a_message_id_has_sixteen_bytes() -> None:
    """The schema bounds what identifies a submission."""
    from untether.base.errors import RemoteError
    from untether.wire.codec import decode, encode

    frame = Submit(MessageId(b"short"), b"body", ())
    with pytest.raises(RemoteError):
        decode(encode(frame), Submit, size_max=1000)
