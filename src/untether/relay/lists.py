"""Device lists at the relay: kept all, extended only by the rules, served (spec 08, "Lists").

The relay follows a chain by the very rules of the devices (:mod:`..protocol.identity
.list_rules`), so it never stores a list that an honest device would refuse. It can withhold
lists, but not make any.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from untether.base.identifiers import DeviceAddress, DeviceNumber, UnixMillis
from untether.base.limits import LIST_BODY_MAX, LISTS_BYTES_MAX, LISTS_PER_ANSWER_MAX
from untether.protocol.identity import list_rules
from untether.protocol.identity.device_list import (
    DeviceList,
    DeviceListBody,
    device_list_hash,
    open_list,
)
from untether.relay import mailbox
from untether.relay.outcome import CutDevice, Effect, Refusal, TellAccount
from untether.relay.rows import AccountRow, ListRow, StatementRow
from untether.relay.session import RelayRules
from untether.relay.transaction import RelayTransaction
from untether.wire.codec import decode
from untether.wire.records import AccountLists, ListHead, SignedObject
from untether.wire.server_frames import ListNews, LoggedOut

open_list_cached = lru_cache(maxsize=256)(open_list)
"""A list that was verified once: the check depends on nothing but its bytes and the key."""


def head_of(account: AccountRow) -> ListHead:
    """Return the head of an account's newest list."""
    return ListHead(account.generation, account.version, account.list_hash)


async def account_lists(
    tx: RelayTransaction,
    account: AccountRow,
    after: ListHead | None,
    bytes_max: int = LISTS_BYTES_MAX,
    *,
    reader: DeviceAddress | None = None,
) -> AccountLists:
    """Return what the relay holds of an account behind ``after``, or just its newest list.

    Whoever asks from a head that the relay knows with another hash, or that is ahead of the
    relay, gets the list that shows it. Resignations come for listed devices, a wipe order for
    the device that reads: all that an account has ever signed would outgrow a frame.
    """
    rows = await _rows_after(tx, account, after)
    served: list[SignedObject] = []
    for row in rows[:LISTS_PER_ANSWER_MAX]:
        bytes_max -= len(row.body)
        if bytes_max < 0:
            break
        served.append(SignedObject(row.body, row.signature))
    resignations, wipe_orders = await _statements_for(tx, account, reader)
    return AccountLists(
        name=account.name,
        lists=tuple(served),
        more=len(served) < len(rows),
        resignations=resignations,
        wipe_orders=wipe_orders,
    )


async def _statements_for(
    tx: RelayTransaction, account: AccountRow, reader: DeviceAddress | None
) -> tuple[tuple[SignedObject, ...], tuple[SignedObject, ...]]:
    own = reader.device if reader and reader.account_id == account.account_id else None
    told = {one.device for one in (await held_list(tx, account)).devices}
    statements = await tx.statements(account.account_id, told if own is None else told | {own})
    return (
        _of_kind(statements, "resignation"),
        _of_kind([row for row in statements if row.device == own], "wipe-order"),
    )


def _of_kind(statements: Iterable[StatementRow], kind: str) -> tuple[SignedObject, ...]:
    return tuple(SignedObject(row.body, row.signature) for row in statements if row.kind == kind)


async def _rows_after(
    tx: RelayTransaction, account: AccountRow, after: ListHead | None
) -> Sequence[ListRow]:
    newest = head_of(account)
    if after is None or (after.generation, after.version) > (newest.generation, newest.version):
        row = await tx.list_at(account.account_id, newest.generation, newest.version)
        return [row] if row else []
    rows = list(
        await tx.lists_after(
            account.account_id, after.generation, after.version, LISTS_PER_ANSWER_MAX + 1
        )
    )
    named = await tx.list_at(account.account_id, after.generation, after.version)
    if named and named.hash != after.hash:
        rows.insert(0, named)
    return rows


async def held_list(tx: RelayTransaction, account: AccountRow) -> DeviceList:
    """Return the newest list, verified."""
    row = await tx.list_at(account.account_id, account.generation, account.version)
    if row is None:
        raise LookupError("an account without its newest list")
    return open_list_cached(SignedObject(row.body, row.signature), account.account_key)


async def all_held(tx: RelayTransaction, account: AccountRow, run: Iterable[SignedObject]) -> bool:
    """Tell whether every list of ``run`` is stored already: then a repeat has come."""
    for signed in run:
        place = place_of(signed)
        row = await tx.list_at(account.account_id, place.generation, place.version)
        if row is None or row.body != signed.body:
            return False
    return True


def place_of(signed: SignedObject) -> ListHead:
    """Read where a list says that it stands; nothing is verified."""
    body = decode(signed.body, DeviceListBody, size_max=LIST_BODY_MAX)
    return ListHead(body.generation, body.version, device_list_hash(signed.body))


def check_lease(rules: RelayRules, newest: DeviceList) -> None:
    """Refuse a lease longer than this relay's operator wants (``lease-too-long``)."""
    if newest.expires_at - newest.issued_at > rules.lease_max_ms:
        raise Refusal("lease-too-long")


def follow_first(run: Sequence[SignedObject], account_key: bytes, now: UnixMillis) -> DeviceList:
    """Check a whole run from its first list on; nothing is held yet."""
    first = list_rules.follow(None, run[:1], account_key, now)
    return list_rules.follow(first, run, account_key, now)


async def extend(
    tx: RelayTransaction,
    account: AccountRow,
    held: DeviceList,
    newest: DeviceList,
    run: Iterable[SignedObject],
) -> tuple[Effect, ...]:
    """Store a checked run that leads from ``held`` to ``newest``, and all that follows from it.

    The caller has called :func:`check_keys`. Devices that are gone lose mailbox and prekeys
    in the same transaction; new ones get a mailbox.
    """
    await _add_lists(tx, newest, run, behind=held.head)
    listed = [one.device for one in newest.devices]
    statements = await tx.statements(account.account_id, listed)
    resigned = {row.device for row in statements if row.kind == "resignation"}
    row = account_row(newest, account.name, resigned)
    await tx.put_account(row)
    await _add_devices(tx, newest, row.present)
    gone = [one.address for one in held.devices if newest.device(one.device) is None]
    for address in gone:
        await mailbox.erase(tx, address)
    return await _tell(tx, row, gone)


async def found(
    tx: RelayTransaction, newest: DeviceList, name: str, run: Iterable[SignedObject]
) -> None:
    """Store the first lists of a new account; the caller has called :func:`check_keys`."""
    await _add_lists(tx, newest, run, behind=None)
    row = account_row(newest, name, resigned=())
    await tx.put_account(row)
    await _add_devices(tx, newest, row.present)


async def check_keys(tx: RelayTransaction, newest: DeviceList) -> None:
    """Refuse a list with a device key that belongs to another device (``key-in-use``)."""
    for certificate in newest.devices:
        for key in (certificate.signing_key, certificate.agreement_key):
            if await tx.key_owner(key) not in {None, certificate.address}:
                raise Refusal("key-in-use")


def account_row(newest: DeviceList, name: str, resigned: Iterable[DeviceNumber]) -> AccountRow:
    """Sum up what submissions need of a list."""
    return AccountRow(
        account_id=newest.account_id,
        account_key=newest.account_key,
        name=name,
        generation=newest.head.generation,
        version=newest.head.version,
        list_hash=newest.head.hash,
        expires_at=newest.expires_at,
        primary=newest.primary.device,
        present=tuple(one.device for one in newest.devices if one.device not in set(resigned)),
    )


async def _add_lists(
    tx: RelayTransaction, newest: DeviceList, run: Iterable[SignedObject], behind: ListHead | None
) -> None:
    for signed in run:
        head = place_of(signed)
        if behind is None or (head.generation, head.version) > (behind.generation, behind.version):
            await tx.add_list(
                ListRow(
                    newest.account_id,
                    head.generation,
                    head.version,
                    head.hash,
                    signed.body,
                    signed.signature,
                )
            )


async def _add_devices(
    tx: RelayTransaction, newest: DeviceList, present: Collection[DeviceNumber]
) -> None:
    for certificate in newest.devices:
        for key in (certificate.signing_key, certificate.agreement_key):
            await tx.put_key_owner(key, certificate.address)
        is_present = certificate.device in present
        if is_present and await tx.device(certificate.address) is None:
            await tx.put_device(mailbox.new_device(certificate.address))


async def _tell(
    tx: RelayTransaction, account: AccountRow, gone: Iterable[DeviceAddress]
) -> tuple[Effect, ...]:
    cuts = [
        CutDevice(one, LoggedOut(await account_lists(tx, account, after=None, reader=one)))
        for one in gone
    ]
    return (TellAccount(account.account_id, ListNews(head_of(account))), *cuts)


async def drop_resigned(
    tx: RelayTransaction, account: AccountRow, device: DeviceNumber
) -> tuple[Effect, ...]:
    """Treat a device as gone at once; its resignation is stored already."""
    present = tuple(number for number in account.present if number != device)
    row = account._replace(present=present)
    await tx.put_account(row)
    address = DeviceAddress(account.account_id, device)
    await mailbox.erase(tx, address)
    return await _tell(tx, row, [address])
