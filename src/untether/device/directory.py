"""Which devices an account has: verified lists, claims and forks (spec 06, "Directory").

The relay's answers pass through here and nowhere else. A list is stored only after
:func:`untether.protocol.identity.list_rules.follow` took it, under the pinned account key; for
an account seen for the first time the key is the one that its id is the hash of. Lists are
verified again whenever they are read back; the result of that pure check is memoised.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from untether.base.errors import RemoteError
from untether.base.identifiers import AccountId, UnixMillis
from untether.base.limits import GOSSIP_PATIENCE_MS
from untether.device.context import Context
from untether.device.store import accounts, peers
from untether.device.store.accounts import AccountRow
from untether.protocol.identity.certificate import DeviceCertificate
from untether.protocol.identity.device_list import DeviceList, account_key_by_id, open_list
from untether.protocol.identity.list_rules import ForkedListError, follow
from untether.protocol.identity.resignation import open_resignation, resignation_address
from untether.wire.client_frames import FetchLists
from untether.wire.records import AccountLists, SignedObject

_open_list = lru_cache(maxsize=1024)(open_list)


def held_list(context: Context, account: AccountId) -> DeviceList | None:
    """Return the newest verified list held of an account, or None."""
    found = row(context, account)
    return None if found is None else list_of(found)


def row(context: Context, account: AccountId) -> AccountRow | None:
    """Return what is held of an account beside its list."""
    return accounts.find(context.database, account)


def list_of(found: AccountRow) -> DeviceList:
    """Return the newest verified list of an account whose row was read."""
    return _open_list(found.signed_list, found.account_key)


def fetch(context: Context, account: AccountId) -> None:
    """Ask the relay for what follows the list held."""
    held = held_list(context, account)
    context.request(FetchLists(account, after=None if held is None else held.head))


def learn(context: Context, account: AccountId, answer: AccountLists) -> bool:
    """Take what the relay served; return whether it changed what is known of the account.

    Raises RemoteError when the lists don't follow what is held (nothing is stored then). A
    fork stores its evidence, posts the notice ``lists-forked`` and counts as no change.
    """
    held = held_list(context, account)
    key = held.account_key if held else _first_key(account, answer.lists)
    try:
        newest = follow(held, answer.lists, key, context.now) if answer.lists else held
    except ForkedListError as fork:
        found = accounts.find(context.database, account)
        if found is not None and not found.forked:
            accounts.save_fork(context.database, account, fork.evidence)
            context.notice("lists-forked", account)
        return False
    if newest is None:
        return False
    resigned = _newly_resigned(context, newest, answer.resignations)
    changed = held is None or newest.head != held.head
    if changed:
        _store(context, held, newest, answer.name)
        if held is not None:
            _mark_gone(context, held, answer.lists, newest)
    for certificate in resigned:
        accounts.save_resignation(context.database, account, certificate.device)
        peers.mark_removed(context.database, certificate, context.now)
    if answer.more and changed:
        fetch(context, account)
    return changed or bool(resigned)


def settle_claim(context: Context, newest: DeviceList) -> None:
    """Let a newly stored list settle a claim: it is the claimed one, or was issued after it.

    An end of the lease that the claim has brought is then undone. A list issued between the first
    claim and the one that is kept settles what was claimed before it. A generation that was claimed
    and never came is told: the claim may have excused a copy of the phone that started anew.
    """
    account = newest.account_id
    found = accounts.find(context.database, account)
    if found is None or found.claimed_head is None or found.claimed_at is None:
        return
    another_generation = found.claimed_head.generation > newest.head.generation
    made_at = found.claim_raised_at or found.claimed_at
    if newest.issued_at > made_at or not found.claimed_head.is_news_to(newest.head):
        if another_generation:
            context.notice("possible-copy", account, device=newest.primary.device)
        accounts.forget_claim(context.database, account)
        accounts.end_lease(context.database, account, None)
    elif newest.issued_at > found.claimed_at and not another_generation:
        _count_claims_from(context, account, newest.issued_at)


def _count_claims_from(context: Context, account: AccountId, time: UnixMillis) -> None:
    """Let the patience count from ``time``: only claims made after it are not settled."""
    due = UnixMillis(time + GOSSIP_PATIENCE_MS)
    accounts.count_claims_from(context.database, account, time)
    if context.now <= due:
        accounts.end_lease(context.database, account, None)
        context.wake_at(UnixMillis(due + 1))


def _first_key(account: AccountId, lists: Sequence[SignedObject]) -> bytes:
    if not lists:
        raise RemoteError("no-list", "The relay served no device list.")
    return account_key_by_id(lists[-1], account)


def _store(context: Context, held: DeviceList | None, newest: DeviceList, relay_name: str) -> None:
    account = newest.account_id
    accounts.save_list(context.database, newest, relay_name)
    settle_claim(context, newest)
    if held is None:
        return
    if newest.head.generation > held.head.generation:
        accounts.save_fork(context.database, account, None)
    if account != context.own.account_id:
        _tell_change(context, held, newest)


def _mark_gone(
    context: Context, held: DeviceList, run: Sequence[SignedObject], newest: DeviceList
) -> None:
    """Note who was logged out, also who came and went on the lists between: mail may be on its way.

    The run was followed, so its lists are in their places; those before the held one are no news.
    """
    known = held.devices
    met = set(known)
    for signed in run[:-1]:
        passed = open_list(signed, held.account_key, known)
        known = passed.devices
        if held.head < passed.head:
            met.update(known)
    for device in sorted(met, key=lambda one: one.device):
        if newest.device(device.device) is None:
            peers.mark_removed(context.database, device, context.now)


def _tell_change(context: Context, held: DeviceList, newest: DeviceList) -> None:
    known = {device.device for device in held.devices}
    if newest.head.generation > held.head.generation:
        context.notice("contact-new-phone", newest.account_id)
    elif any(device.device not in known for device in newest.devices):
        context.notice("contact-new-device", newest.account_id)


def _newly_resigned(
    context: Context, newest: DeviceList, resignations: Sequence[SignedObject]
) -> list[DeviceCertificate]:
    """Verify resignations; nothing is written before all of them hold."""
    known = accounts.resigned(context.database, newest.account_id)
    resigned = []
    for signed in resignations:
        number = resignation_address(signed).device
        certificate = newest.device(number)
        if certificate is not None and number not in known:
            open_resignation(signed, certificate)
            resigned.append(certificate)
    return resigned
