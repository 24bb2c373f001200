"""What is served with an account's lists stays small (spec 08, "Lists")."""

from __future__ import annotations

import msgspec
import pytest
from tests.unit.relay.relay_desk import RelayDesk, RelayDevice

from untether.base.identifiers import SECOND_MS, DeviceNumber
from untether.base.limits import LEASE_DEFAULT_MS, LIST_BODY_MAX
from untether.protocol.identity.next_list import next_list_body
from untether.protocol.identity.wipe_order import sign_wipe_order
from untether.relay import lists
from untether.relay.rows import AccountRow
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import FetchLists, PublishLists, ResolveName
from untether.wire.codec import encode
from untether.wire.records import SignedObject
from untether.wire.server_frames import Done, Lists


async def publish_many_wipe_orders(phone: RelayDevice) -> int:
    """Order the erasure of a hundred devices that never were; return what the relay took."""
    person = phone.person
    body = next_list_body(person.newest, now=person.now, lease_ms=LEASE_DEFAULT_MS)
    newest = person.sign(msgspec.structs.replace(body, next_number=DeviceNumber(1_000)))
    for start in range(0, 104, 8):
        orders = tuple(
            sign_wipe_order(
                phone.keys.signing_seed, phone.account_id, DeviceNumber(number), newest.head.hash
            )
            for number in range(start + 1, start + 9)
        )
        answer = await phone.ask(PublishLists((newest.signed,), wipe_orders=orders))
        assert isinstance(answer, Done)
        phone.desk.pass_time(SECOND_MS * 10)
    return 104


async def test_no_account_outgrows_the_frame_that_shows_it(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """However much Alice's phone has signed, who asks for her gets her list and not all of it."""
    await publish_many_wipe_orders(alice)
    for answer in (
        await bob.ask(ResolveName("alice")),
        await bob.ask(FetchLists(alice.account_id)),
        await alice.ask(FetchLists(alice.account_id)),
    ):
        assert isinstance(answer, Lists)
        assert answer.account.wipe_orders == ()
        assert len(encode(answer)) < LIST_BODY_MAX


async def test_twin_that_serves_all_that_was_signed_cuts_others_off(
    alice: RelayDevice, bob: RelayDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer about Alice grows with each order; beyond a frame Bob's socket breaks on it."""

    async def everything(
        tx: RelayTransaction, account: AccountRow, _reader: object
    ) -> tuple[tuple[SignedObject, ...], tuple[SignedObject, ...]]:
        rows = await tx.statements(account.account_id)
        return (), tuple(SignedObject(row.body, row.signature) for row in rows)

    monkeypatch.setattr(lists, "_statements_for", everything)
    count = await publish_many_wipe_orders(alice)
    answer = await bob.ask(ResolveName("alice"))
    assert isinstance(answer, Lists)
    assert len(answer.account.wipe_orders) == count
    assert len(encode(answer)) > LIST_BODY_MAX
