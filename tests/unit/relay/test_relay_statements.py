"""What is served with an account's lists stays small (spec 08, "Lists")."""

from __future__ import annotations

import msgspec
import pytest
from tests.unit.relay.relay_desk import RelayDesk, RelayDevice

from untether.base.errors import RemoteError
from untether.base.identifiers import DeviceNumber
from untether.base.limits import FRAME_MAX, LEASE_DEFAULT_MS, LIST_BODY_MAX
from untether.protocol.identity.next_list import next_list_body
from untether.protocol.identity.wipe_order import sign_wipe_order
from untether.relay import lists
from untether.relay.rows import AccountRow, StatementRow
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import FetchLists, PublishLists, ResolveName
from untether.wire.codec import encode
from untether.wire.packets import frames_of, packet_of
from untether.wire.records import SignedObject
from untether.wire.server_frames import Answer, Done, Lists, ServerFrame


async def sign_more_than_a_frame_holds(phone: RelayDevice) -> int:
    """Order the erasure of thousands of devices that never were; return what the relay keeps.

    The relay takes eight of these orders by the way of all; the others are put beside them.
    """
    person = phone.person
    body = next_list_body(person.newest, now=person.now, lease_ms=LEASE_DEFAULT_MS)
    newest = person.sign(msgspec.structs.replace(body, next_number=DeviceNumber(100_000)))
    orders = tuple(
        sign_wipe_order(
            phone.keys.signing_seed, phone.account_id, DeviceNumber(number), newest.head.hash
        )
        for number in range(1, 9)
    )
    assert isinstance(await phone.ask(PublishLists((newest.signed,), wipe_orders=orders)), Done)

    count = FRAME_MAX // len(orders[0].body)

    async def put(tx: RelayTransaction) -> None:
        for number in range(9, count + 1):
            order = orders[number % 8]
            await tx.put_statement(
                StatementRow(
                    phone.account_id,
                    "wipe-order",
                    DeviceNumber(number),
                    order.body,
                    order.signature,
                )
            )

    await phone.desk.store.transact(put)
    return count


def arrive(answer: ServerFrame) -> None:
    """Read a relay's packet like a device; raises RemoteError when it is too large."""
    frames_of(packet_of([encode(Answer(1, answer))]))


async def test_no_account_outgrows_the_frame_that_shows_it(
    desk: RelayDesk, alice: RelayDevice, bob: RelayDevice
) -> None:
    """However much Alice's phone has signed, who asks for her gets her list and not all of it."""
    await sign_more_than_a_frame_holds(alice)
    for answer in (
        await bob.ask(ResolveName("alice")),
        await bob.ask(FetchLists(alice.account_id)),
        await alice.ask(FetchLists(alice.account_id)),
    ):
        arrive(answer)
        assert isinstance(answer, Lists)
        assert answer.account.wipe_orders == ()
        assert len(encode(answer)) < LIST_BODY_MAX


async def test_twin_that_serves_all_that_was_signed_cuts_others_off(
    alice: RelayDevice, bob: RelayDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer about Alice grows with each order, until Bob's device can't take it any more."""

    async def everything(
        tx: RelayTransaction, account: AccountRow, _reader: object
    ) -> tuple[tuple[SignedObject, ...], tuple[SignedObject, ...]]:
        rows = await tx.statements(
            account.account_id, [DeviceNumber(number) for number in range(100_000)]
        )
        return (), tuple(SignedObject(row.body, row.signature) for row in rows)

    monkeypatch.setattr(lists, "_statements_for", everything)
    count = await sign_more_than_a_frame_holds(alice)
    answer = await bob.ask(ResolveName("alice"))
    assert isinstance(answer, Lists)
    assert len(answer.account.wipe_orders) == count
    with pytest.raises(RemoteError) as caught:
        arrive(answer)
    assert caught.value.code == "too-large"
