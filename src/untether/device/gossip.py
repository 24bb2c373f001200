"""List heads named inside the encryption: how a withheld list is noticed (spec 02, "Gossip").

Every body carries its sender's own list head, every pairwise seal the head assumed for its
recipient. A sender ahead of what is held → fetch; not served within 48 hours → that account's
lease ends. Only devices of an account make such a claim about it.

A claim about the own account that a contact or own device makes → ask that device, once for each
list, for the signed list; nothing else follows, since anybody can name a head. Only a *verified*
list ever raises an alarm, or starts the patience of a companion with its own account.

Questions and answers show to whoever provokes them that a device is awake, and nobody sees it. So
each is said to a device at most once in CLAIM_PAUSE_MS.
"""

from __future__ import annotations

from untether.base.errors import RemoteError
from untether.base.identifiers import AccountId, UnixMillis
from untether.base.limits import GOSSIP_PATIENCE_MS
from untether.device import directory, outgoing, own_account, senders
from untether.device.context import Context
from untether.device.senders import Sender
from untether.device.store import accounts, claims, own_lists
from untether.device.store.own_standing import SigningStopped
from untether.protocol.identity.certificate import Role
from untether.protocol.identity.device_list import device_list_hash, open_list
from untether.wire.content import ListClaimQuestion, ListEvidence
from untether.wire.records import AccountLists, ListHead, SignedObject


def hear_own_head(context: Context, account: AccountId, claimed: ListHead) -> None:
    """Take the list head that a listed device named for its own account."""
    held = directory.held_list(context, account)
    if held is not None and claimed.is_news_to(held.head):
        _remember(context, account, claimed)
        directory.fetch(context, account)


def hear_assumed_head(context: Context, sender: Sender, claimed: ListHead) -> None:
    """Take the list head that a sender assumed for this account.

    A stranger is not asked: the question would tell which devices are awake.
    """
    if not claimed.is_news_to(own_account.newest(context).head):
        return
    if senders.is_stranger(context, sender):
        directory.fetch(context, context.own.account_id)
    elif claims.ask_once(context.database, sender.row, claimed.hash, context.now):
        directory.fetch(context, context.own.account_id)
        outgoing.send_direct(context, sender.account_id, sender.device, ListClaimQuestion(claimed))


def answer_question(context: Context, sender: Sender, question: ListClaimQuestion) -> None:
    """Show a contact, or an own device, the newest signed list held of its account."""
    if senders.is_stranger(context, sender):
        return
    held = directory.held_list(context, sender.account_id)
    if held is None or held.head.place < question.claimed.place:
        return
    if claims.may_say(context.database, sender.row, "evidence", context.now):
        evidence = ListEvidence((held.signed,))
        outgoing.send_direct(context, sender.account_id, sender.device, evidence)


def take_evidence(context: Context, evidence: ListEvidence) -> None:
    """Take lists of the own account from another device; the relay gets what it lacks.

    Evidence that comes after the lists that follow it is no news. Raises RemoteError when they
    are not valid lists of this account.
    """
    hashes = (device_list_hash(signed.body) for signed in evidence.lists)
    if all(own_lists.with_hash(context.database, one) for one in hashes):
        return
    answer = AccountLists(name=context.own.name, lists=evidence.lists)
    try:
        if own_account.learn(context, answer, published=False):
            own_account.publish(context)
    except RemoteError as error:
        if error.code != "list-gap":
            raise
        _take_unconnected(context, evidence.lists[-1])


def end_unserved_claims(context: Context) -> None:
    """End the lease of accounts whose claimed list the relay has not served in time."""
    overdue = UnixMillis(context.now - GOSSIP_PATIENCE_MS)
    for account in accounts.claims_before(context.database, overdue):
        accounts.end_lease(context.database, account, context.now)
        context.notice("list-withheld", account)


def _take_unconnected(context: Context, signed: SignedObject) -> None:
    """Take a list that is valid by itself while the ones before it are missing here.

    It proves that the account has gone on without this device. A phone was not asked, so it is
    not the only one; a companion gives its relay the usual patience to serve the rest.
    """
    own = context.own
    shown = open_list(signed, own.account_key)
    if own.role is Role.PRIMARY:
        own_account.stop_signing(context, SigningStopped.DISPLACED, shown.head.generation)
    else:
        _remember(context, own.account_id, shown.head)
    directory.fetch(context, own.account_id)


def _remember(context: Context, account: AccountId, claimed: ListHead) -> None:
    """Note the furthest claim, and when it was made.

    The patience counts from the first one that is not settled.
    """
    found = accounts.find(context.database, account)
    if found is None:
        return
    if found.claimed_head is None or found.claimed_at is None:
        accounts.save_claim(
            context.database, account, claimed, claimed_at=context.now, raised_at=context.now
        )
        context.wake_at(UnixMillis(context.now + GOSSIP_PATIENCE_MS + 1))
    elif claimed.is_news_to(found.claimed_head):
        accounts.save_claim(
            context.database, account, claimed, claimed_at=found.claimed_at, raised_at=context.now
        )
