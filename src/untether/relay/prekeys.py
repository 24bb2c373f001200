"""Prekeys at the relay: deposited once, handed out once (spec 08, "Prekeys").

A one-time pair leaves the stock in the transaction that hands it out, and its id is remembered
for as long as an upload of it could still be accepted. So an upload that is repeated after a
lost answer never puts a used pair back.
"""

from __future__ import annotations

from collections.abc import Iterable

from untether.base.identifiers import AccountId, DeviceAddress, UnixMillis
from untether.base.limits import (
    CLOCK_AHEAD_MAX_MS,
    ONE_TIME_PREKEYS_STORED_MAX,
    PREKEY_AGE_MAX_MS,
)
from untether.protocol.identity.certificate import DeviceCertificate
from untether.protocol.pairwise.parties import Party
from untether.protocol.pairwise.prekeys import VerifiedPair, VerifiedStock, verify_stock
from untether.relay.budgets import CLAIMS, spend
from untether.relay.lists import held_list
from untether.relay.outcome import Call, Decision, Refusal
from untether.relay.rows import AccountRow, PrekeyRow
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import ClaimPrekeys, DepositPrekeys
from untether.wire.records import PrekeyBundle, SignedPrekey
from untether.wire.server_frames import Bundles, PrekeysStored


def party_of(certificate: DeviceCertificate) -> Party:
    """Return the device of a verified certificate."""
    return Party(
        certificate.account_key,
        certificate.device,
        certificate.signing_key,
        certificate.agreement_key,
    )


async def store_stock(
    tx: RelayTransaction,
    address: DeviceAddress,
    stock: VerifiedStock,
    now: UnixMillis,
    *,
    replace: bool = False,
) -> None:
    """Store a deposit; what is known already changes nothing. ``replace`` empties first."""
    if replace:
        await _empty(tx, address, now)
    held = await tx.rotating_prekey(address)
    if held is None or stock.rotating.pair.serial > held.serial:
        await tx.put_rotating_prekey(_row(address, stock.rotating))
    room = ONE_TIME_PREKEYS_STORED_MAX - await tx.count_one_time_prekeys(address)
    for one in (await _unknown(tx, address, stock.one_time, now))[:room]:
        await tx.add_one_time_prekey(_row(address, one))


async def _empty(tx: RelayTransaction, address: DeviceAddress, now: UnixMillis) -> None:
    while row := await tx.first_one_time_prekey(address):
        await tx.delete_one_time_prekey(address, row.prekey_id, now)


async def _unknown(
    tx: RelayTransaction, address: DeviceAddress, pairs: Iterable[VerifiedPair], now: UnixMillis
) -> list[VerifiedPair]:
    """Leave out pairs that are known, and those so old that a used id may be forgotten.

    A pair from the future would stay young for too long, so it is left out as well.
    """
    young = {
        one.pair.id: one
        for one in pairs
        if -CLOCK_AHEAD_MAX_MS <= now - one.pair.created_at < PREKEY_AGE_MAX_MS
    }
    known = await tx.known_prekey_ids(address, young)
    return [one for prekey_id, one in young.items() if prekey_id not in known]


def _row(address: DeviceAddress, one: VerifiedPair) -> PrekeyRow:
    return PrekeyRow(
        account_id=address.account_id,
        device=address.device,
        prekey_id=one.pair.id,
        serial=one.pair.serial,
        body=one.signed.body,
        signature=one.signed.signature,
    )


async def deposit(tx: RelayTransaction, call: Call, request: DepositPrekeys) -> Decision:
    """Add to the own stock."""
    account = await tx.account(call.address.account_id)
    certificate = (await held_list(tx, account)).device(call.address.device) if account else None
    if certificate is None:
        raise Refusal("not-listed")
    stock = verify_stock(request.prekeys, party_of(certificate))
    await store_stock(tx, call.address, stock, call.now, replace=request.replace)
    return Decision(PrekeysStored(await tx.count_one_time_prekeys(call.address)))


async def claim(tx: RelayTransaction, call: Call, request: ClaimPrekeys) -> Decision:
    """Hand out one bundle for each present device that has prekeys here."""
    account = await tx.account(request.account_id)
    if account is None:
        raise Refusal("no-such-account")
    bundles = []
    for target in _targets(account, request):
        rotating = await tx.rotating_prekey(target)
        if rotating is not None:
            one_time = await _take(tx, target, call.address.account_id, call.now)
            bundles.append(
                PrekeyBundle(
                    target.device, _signed(rotating), _signed(one_time) if one_time else None
                )
            )
    return Decision(Bundles(tuple(bundles)))


def _targets(account: AccountRow, request: ClaimPrekeys) -> list[DeviceAddress]:
    wanted = sorted(set(request.devices) & set(account.present))
    return [DeviceAddress(account.account_id, device) for device in wanted]


async def _take(
    tx: RelayTransaction, target: DeviceAddress, requester: AccountId, now: UnixMillis
) -> PrekeyRow | None:
    """Take a one-time pair, unless this requester has had its share of this device's.

    Then the rotating pair alone goes out: a conversation still begins, and nobody can drain
    another one's stock.
    """
    row = await tx.first_one_time_prekey(target)
    if row is None:
        return None
    spent = spend(await tx.claim_due_at(target, requester), CLAIMS, now)
    if spent.retry_after_ms:
        return None
    await tx.put_claim_due_at(target, requester, int(spent.due_at))
    await tx.delete_one_time_prekey(target, row.prekey_id, now)
    return row


def _signed(row: PrekeyRow) -> SignedPrekey:
    return SignedPrekey(row.body, row.signature)
