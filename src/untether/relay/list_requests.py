"""What is asked about lists: recovery, publication, look-up, resignation (spec 08, "Lists").

What comes together is admitted together: a higher generation with its phone's prekeys, a list
with the prekeys of the companion that it adds. Repeating what the relay has changes nothing.
A run that does not lead on from the newest list is answered with the lists that it lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from untether.base.errors import UntetherError
from untether.base.identifiers import AccountId, DeviceAddress
from untether.protocol.identity import list_rules
from untether.protocol.identity.device_list import DeviceList
from untether.protocol.identity.resignation import open_resignation, resignation_address
from untether.protocol.identity.wipe_order import open_wipe_order, wipe_order_target
from untether.protocol.pairwise.prekeys import VerifiedStock, verify_stock
from untether.relay import lists
from untether.relay.admission import count
from untether.relay.budgets import ACCOUNT_LISTS
from untether.relay.outcome import Call, Decision, Refusal
from untether.relay.prekeys import party_of, store_stock
from untether.relay.principals import Bearer, Guest
from untether.relay.rows import AccountRow, StatementRow
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import FetchLists, PublishLists, Recover, Resign
from untether.wire.records import ListHead, SignedObject
from untether.wire.server_frames import Done, Lists

CONFLICTS: Final = frozenset({"list-rolled-back", "list-gap", "list-forked"})
"""What the rules of lists call a run that doesn't lead on from what is held."""


class NotFollowingError(Exception):
    """The run does not lead on from the newest list; the answer is what the relay has."""


async def recover(tx: RelayTransaction, call: Call, request: Recover) -> Decision:
    """Admit a higher generation with its phone's prekeys."""
    account = await _known(tx, request.account_id)
    if await lists.all_held(tx, account, request.lists):
        return Decision(Done(call.now))
    held = await lists.held_list(tx, account)
    try:
        newest = _follow(call, account, held, request.lists)
    except NotFollowingError:
        return await _conflict(tx, account, request.lists)
    if newest.head.generation <= held.head.generation:
        raise Refusal("generation-not-higher")
    count(call, account.account_id, ACCOUNT_LISTS, len(request.lists))  # not a stranger's: signed
    stock = verify_stock(request.prekeys, party_of(newest.primary))
    await lists.check_keys(tx, newest)
    effects = await lists.extend(tx, account, held, newest, request.lists)
    await store_stock(tx, newest.primary.address, stock, call.now, replace=True)
    return Decision(Done(call.now), effects)


def count_lists(call: Call, request: PublishLists) -> PublishLists:
    """Count the lists of a run, new or known: every list is kept, so an account brings few."""
    count(call, call.address.account_id, ACCOUNT_LISTS, len(request.lists))
    return request


async def publish(tx: RelayTransaction, call: Call, request: PublishLists) -> Decision:
    """Extend the own chain, with the prekeys and wipe orders that come along.

    Any own device may bring lists that the relay lacks, since a relay may have been put back
    from an old copy. Only a phone whose newest list adds a companion must bring its prekeys.
    """
    account = await _known(tx, call.address.account_id)
    held = newest = await lists.held_list(tx, account)
    if not await lists.all_held(tx, account, request.lists):
        try:
            newest = _follow(call, account, held, request.lists)
        except NotFollowingError:
            return await _conflict(tx, account, request.lists)
        _check_brings_prekeys(call, held, newest, request)
        await lists.check_keys(tx, newest)
    stock = _companion_stock(newest, request)
    orders = [await _open_order(tx, account, newest, signed) for signed in request.wipe_orders]
    for order in orders:  # first: the last word to a removed device shows them
        await tx.put_statement(order)
    effects = (
        await lists.extend(tx, account, held, newest, request.lists) if newest is not held else ()
    )
    if stock is not None:
        await _store_companion_stock(tx, call, *stock)
    return Decision(Done(call.now), effects)


async def fetch(tx: RelayTransaction, call: Call, request: FetchLists) -> Decision:
    """Serve lists and what belongs to them; a bearer sees only those of its account."""
    principal = call.session.principal
    if isinstance(principal, Bearer) and principal.address.account_id != request.account_id:
        raise Refusal("not-allowed")
    account = await _known(tx, request.account_id)
    reader = None if isinstance(principal, Guest) else principal.address
    served = await lists.account_lists(tx, account, request.after, reader=reader)
    return Decision(Lists(account.account_id, served))


async def resign(tx: RelayTransaction, call: Call, request: Resign) -> Decision:
    """Take a companion's resignation, which any own device may bring."""
    signed = request.resignation
    address = resignation_address(signed)
    if address.account_id != call.address.account_id:
        raise Refusal("not-allowed")
    account = await _known(tx, address.account_id)
    certificate = (await lists.held_list(tx, account)).device(address.device)
    if certificate is None or address.device not in account.present:
        return Decision(Done(call.now))
    open_resignation(signed, certificate)
    await tx.put_statement(
        StatementRow(
            address.account_id, "resignation", address.device, signed.body, signed.signature
        )
    )
    return Decision(Done(call.now), await lists.drop_resigned(tx, account, address.device))


async def _known(tx: RelayTransaction, account_id: AccountId) -> AccountRow:
    account = await tx.account(account_id)
    if account is None:
        raise Refusal("no-such-account")
    return account


def _follow(
    call: Call, account: AccountRow, held: DeviceList, run: Sequence[SignedObject]
) -> DeviceList:
    try:
        newest = list_rules.follow(held, run, account.account_key, call.now)
    except UntetherError as error:
        if error.code in CONFLICTS:
            raise NotFollowingError from error
        raise
    lists.check_lease(call.session.rules, newest)
    return newest


async def _conflict(
    tx: RelayTransaction, account: AccountRow, run: Sequence[SignedObject]
) -> Decision:
    """Answer with the lists from the place on where the run starts."""
    first = lists.place_of(run[0])
    before = await tx.list_at(account.account_id, first.generation, first.version - 1)
    after = ListHead(first.generation, first.version - 1, before.hash if before else b"")
    return Decision(Lists(account.account_id, await lists.account_lists(tx, account, after)))


def _check_brings_prekeys(
    call: Call, held: DeviceList, newest: DeviceList, request: PublishLists
) -> None:
    if call.address.device != newest.primary.device:
        return
    before = held
    if len(request.lists) > 1 and lists.place_of(request.lists[-2]) > held.head:
        before = lists.open_list_cached(request.lists[-2], newest.account_key)
    added = {one.device for one in newest.devices if before.device(one.device) is None}
    if added - {request.device}:
        raise Refusal("prekeys-missing")


def _companion_stock(
    newest: DeviceList, request: PublishLists
) -> tuple[DeviceAddress, VerifiedStock] | None:
    if request.device is None and request.prekeys is None:
        return None
    certificate = None if request.device is None else newest.device(request.device)
    if certificate is None or request.prekeys is None:
        raise Refusal("no-such-device")
    return certificate.address, verify_stock(request.prekeys, party_of(certificate))


async def _store_companion_stock(
    tx: RelayTransaction, call: Call, address: DeviceAddress, stock: VerifiedStock
) -> None:
    """Store the prekeys, unless the device has resigned in the meantime."""
    if await tx.device(address) is not None:
        await store_stock(tx, address, stock, call.now)


async def _open_order(
    tx: RelayTransaction, account: AccountRow, newest: DeviceList, signed: SignedObject
) -> StatementRow:
    """Check a wipe order against the list that it names."""
    device, list_hash = wipe_order_target(signed)
    removing = newest
    if list_hash != newest.head.hash:
        row = await tx.list_by_hash(account.account_id, list_hash)
        if row is None:
            raise Refusal("no-such-list")
        removing = lists.open_list_cached(
            SignedObject(row.body, row.signature), account.account_key
        )
    open_wipe_order(signed, removing)
    return StatementRow(account.account_id, "wipe-order", device, signed.body, signed.signature)
