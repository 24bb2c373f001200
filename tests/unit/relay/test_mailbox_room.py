"""Who finds room in a mailbox that fills up (spec 08, "Submission")."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from tests.unit.relay.relay_desk import BODY, HEADER, RelayDesk, RelayDevice, link, only, register

from untether.base import limits
from untether.relay import mailbox_room, submission
from untether.relay.outcome import WakeMailbox
from untether.wire.client_frames import Acknowledge
from untether.wire.server_frames import Accepted, AccountRefused

SIZE = len(BODY + HEADER)


@pytest.fixture
def small_mailboxes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mailboxes of eight entries: one account may have two."""
    monkeypatch.setattr(mailbox_room, "MAILBOX_ENTRIES_MAX", 8)


@pytest.mark.usefixtures("small_mailboxes")
async def test_one_account_can_not_fill_a_mailbox(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """Beyond its share an account is told that the mailbox is full; others still fit."""
    assert await _fill(alice, bob) == 2
    refused = only(await alice.send(bob.person))
    assert refused == AccountRefused(bob.account_id, "mailbox-full", limits.MAILBOX_FULL_RETRY_MS)
    carol = await register(desk, "carol")
    assert isinstance(only(await carol.send(bob.person)), Accepted)


@pytest.mark.parametrize("strangers", [5, 12])
async def test_many_accounts_leave_room_for_one_more(
    desk: RelayDesk, bob: RelayDevice, monkeypatch: pytest.MonkeyPatch, strangers: int
) -> None:
    """However many fill an absent person's mailbox, the next who has nothing in it is taken."""
    monkeypatch.setattr(mailbox_room, "MAILBOX_ENTRIES_MAX", 64)
    shares = [await _fill(await register(desk, f"m{n}"), bob) for n in range(strangers)]
    assert shares[0] == 16  # a quarter
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] >= 1
    carol = await register(desk, "carol")
    assert isinstance(only(await carol.send(bob.person)), Accepted)


async def test_twin_with_shares_of_the_whole_five_accounts_shut_everybody_out(
    desk: RelayDesk, bob: RelayDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quarter of the mailbox for each, whatever is free: then it is full, for friends too."""
    monkeypatch.setattr(submission, "has_room", _a_quarter_of(64))
    for number in range(5):
        await _fill(await register(desk, f"m{number}"), bob)
    carol = await register(desk, "carol")
    assert isinstance(only(await carol.send(bob.person)), AccountRefused)


def _a_quarter_of(entries: int) -> Callable[..., Awaitable[bool]]:
    async def has_room(tx: object, mailbox: object, sender: object, _size: int) -> bool:
        load = await tx.sender_load(mailbox.address, sender)  # type: ignore[attr-defined]
        fits: bool = mailbox.entries < entries and load.entries < entries // 4  # type: ignore[attr-defined]
        return fits

    return has_room


@pytest.mark.usefixtures("small_mailboxes")
async def test_a_dead_companion_does_not_silence_its_account(
    alice: RelayDevice, bob: RelayDevice
) -> None:
    """A mailbox that nobody empties gets a gap; the other devices get the message."""
    tablet = await link(bob)
    for _ in range(3):
        assert isinstance(only(await alice.send(bob.person)), Accepted)
        assert WakeMailbox(tablet.address) in tablet.desk.effects  # for a gap as for mail
        await bob.ask(Acknowledge((await bob.read()).entries[-1].stamp))
    deliveries = await tablet.read()
    assert (len(deliveries.entries), deliveries.dropped) == (2, 1)
    assert deliveries.gap_at is not None
    assert deliveries.gap_at > deliveries.entries[-1].stamp
    await tablet.ask(Acknowledge(deliveries.gap_at))
    empty = await tablet.read()
    assert (empty.entries, empty.dropped, empty.gap_at) == ((), 0, None)


@pytest.mark.parametrize("room", [8, 9, 11])
async def test_the_share_counts_bytes_too(
    desk: RelayDesk,
    alice: RelayDevice,
    bob: RelayDevice,
    monkeypatch: pytest.MonkeyPatch,
    room: int,
) -> None:
    """Few large entries fill a mailbox like many small ones, and a large one needs more room."""
    monkeypatch.setattr(mailbox_room, "MAILBOX_BYTES_MAX", room * SIZE)
    assert await _fill(alice, bob) == (room + 1) // 4
    carol = await register(desk, "carol")
    assert isinstance(only(await carol.send(bob.person)), Accepted)


async def _fill(sender: RelayDevice, reader: RelayDevice) -> int:
    """Send until it is refused; return how many were taken."""
    taken = 0
    while isinstance(only(await sender.send(reader.person)), Accepted):
        taken += 1
    return taken
