"""Accounts: registration, invitations, names (spec 08, "Accounts").

An account proves itself: its id is the hash of its key, the key signed the phone's
certificate, and the phone signed the list. The relay adds only the name, given once and never
again to another account. Name, list and prekeys are admitted together or not at all.
"""

from __future__ import annotations

from typing import NamedTuple

from untether.base import base32
from untether.base.identifiers import UnixMillis
from untether.base.limits import INVITATION_BYTES, INVITATION_MS, LIST_BODY_MAX
from untether.base.randomness import Randomness
from untether.crypto import hashes, labels
from untether.protocol.identity.device_list import (
    DeviceList,
    DeviceListBody,
    account_key_by_id,
)
from untether.protocol.pairwise.prekeys import VerifiedStock, verify_stock
from untether.relay import lists
from untether.relay.admission import count
from untether.relay.budgets import ACCOUNT_LISTS
from untether.relay.outcome import Call, Decision, Refusal
from untether.relay.prekeys import party_of, store_stock
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import Register, ResolveName
from untether.wire.codec import decode
from untether.wire.server_frames import Done, Lists


class Newcomer(NamedTuple):
    """A registration whose signatures all hold."""

    request: Register
    newest: DeviceList
    stock: VerifiedStock


def prove_newcomer(call: Call, request: Register) -> Newcomer:
    """Check lists and prekeys against the key that the account id is made of.

    A new account has one list. Further ones are counted, since all are kept.
    """
    count(call, call.session.principal, ACCOUNT_LISTS, len(request.lists) - 1)
    body = decode(request.lists[0].body, DeviceListBody, size_max=LIST_BODY_MAX)
    account_key = account_key_by_id(request.lists[0], body.account_id)
    newest = lists.follow_first(request.lists, account_key, call.now)
    lists.check_lease(call.session.rules, newest)
    return Newcomer(request, newest, verify_stock(request.prekeys, party_of(newest.primary)))


async def register(tx: RelayTransaction, call: Call, newcomer: Newcomer) -> Decision:
    """Admit an account with its name, lists and prekeys; the same again changes nothing."""
    request, newest, stock = newcomer
    held = await tx.account(newest.account_id)
    if held is not None:
        if held.name == request.name and await lists.all_held(tx, held, request.lists):
            return Decision(Done(call.now))
        raise Refusal("account-exists")
    if await tx.account_named(request.name) is not None:
        raise Refusal("name-taken")
    await lists.check_keys(tx, newest)
    await _use_invitation(tx, call, request.invitation)
    await lists.found(tx, newest, request.name, request.lists)
    await store_stock(tx, newest.primary.address, stock, call.now)
    return Decision(Done(call.now))


async def _use_invitation(tx: RelayTransaction, call: Call, code: str | None) -> None:
    """Check the policy; the last check before the first write, since it deletes a row."""
    policy = call.session.rules.registration
    if policy == "closed":
        raise Refusal("registration-closed")
    if policy == "open":
        return
    code_hash = _invitation_hash(code or "")
    expires_at = await tx.invitation_expires_at(code_hash)
    if expires_at is None or expires_at <= call.now:
        raise Refusal("invitation-needed")
    await tx.delete_invitation(code_hash)


async def create_invitation(tx: RelayTransaction, now: UnixMillis, randomness: Randomness) -> str:
    """Make a code for one registration; only its hash is stored."""
    code = base32.encode(randomness(INVITATION_BYTES))
    await tx.add_invitation(_invitation_hash(code), UnixMillis(now + INVITATION_MS))
    return code


def _invitation_hash(code: str) -> bytes:
    return hashes.blake2b_256(labels.INVITATION, "".join(code.split()).lower().encode())


async def resolve_name(tx: RelayTransaction, call: Call, request: ResolveName) -> Decision:
    """Tell which account a name was given to, with its newest list."""
    account_id = await tx.account_named(request.name)
    account = await tx.account(account_id) if account_id is not None else None
    if account is None:
        raise Refusal("no-such-account")
    return Decision(Lists(account.account_id, await lists.account_lists(tx, account, after=None)))
