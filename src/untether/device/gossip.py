"""List heads named inside the encryption: how a withheld list is noticed (spec 02, "Gossip").

Every body carries its sender's own list head, every pairwise seal the head assumed for its
recipient. A sender ahead of what is held → fetch; not served within 48 hours → that account's
lease ends. A claim about the own account that this device does not know → ask the claimant for
the signed list; only a *verified* list ever raises an alarm.
"""

from __future__ import annotations

from untether.base.identifiers import AccountId, UnixMillis
from untether.base.limits import GOSSIP_PATIENCE_MS
from untether.device import directory, outbox, outgoing, own_account
from untether.device.context import Context
from untether.device.senders import Sender
from untether.device.store import accounts
from untether.wire.content import ListClaimQuestion, ListEvidence
from untether.wire.records import AccountLists, ListHead


def hear_own_head(context: Context, account: AccountId, claimed: ListHead) -> None:
    """Take the list head that a device named for its own account."""
    held = directory.held_list(context, account)
    if held is None or claimed <= held.head:
        return
    _remember(context, account, claimed)
    directory.fetch(context, account)


def hear_assumed_head(context: Context, sender: Sender, claimed: ListHead) -> None:
    """Take the list head that a sender assumed for this account."""
    own = context.own
    held = directory.held_list(context, own.account_id)
    if held is None or claimed <= held.head:
        return
    if _remember(context, own.account_id, claimed):
        directory.fetch(context, own.account_id)
        outgoing.send_direct(context, sender.account_id, sender.device, ListClaimQuestion(claimed))


def answer_question(context: Context, sender: Sender, question: ListClaimQuestion) -> None:
    """Show the newest signed list held of the account that asks."""
    held = directory.held_list(context, sender.account_id)
    if held is None or held.head < question.claimed:
        return
    evidence = ListEvidence((held.signed,))
    outgoing.send_direct(context, sender.account_id, sender.device, evidence)


def take_evidence(context: Context, evidence: ListEvidence) -> None:
    """Take lists of the own account from another device; the relay gets what it lacks.

    Raises RemoteError when they are not valid lists of this account.
    """
    answer = AccountLists(name=context.own.name, lists=evidence.lists)
    if own_account.learn(context, answer, published=False):
        own_account.publish(context)
        outbox.account_learned(context, context.own.account_id)


def end_unserved_claims(context: Context) -> None:
    """End the lease of accounts whose claimed list the relay has not served in time."""
    overdue = UnixMillis(context.now - GOSSIP_PATIENCE_MS)
    for account in accounts.claims_before(context.database, overdue):
        accounts.end_lease(context.database, account, context.now)
        context.notice("list-withheld", account)


def _remember(context: Context, account: AccountId, claimed: ListHead) -> bool:
    found = accounts.find(context.database, account)
    if found is None or (found.claimed_head is not None and found.claimed_head >= claimed):
        return False
    accounts.save_claim(context.database, account, claimed, context.now)
    return True
