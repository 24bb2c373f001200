"""A newer list of an account is here: what follows from it (spec 06, "Directory").

Lists reach a device in four ways: asked for, with a verdict, as evidence from another device,
and at a refused login. All of them end here: the list is verified and stored, parked mail of
the account is opened, and messages that waited for it move on.
"""

from __future__ import annotations

from untether.base.identifiers import AccountId
from untether.device import directory, inbox, introductions, leases, outbox, own_account
from untether.device.context import Context
from untether.wire.records import AccountLists


def learn(context: Context, account: AccountId, answer: AccountLists) -> bool:
    """Take lists of any account; return whether they changed what is known.

    Raises RemoteError when they don't follow what is held; nothing is changed then.
    """
    with context.database.savepoint():
        if account == context.own.account_id:
            generation = own_account.newest(context).head.generation
            changed = own_account.learn(context, answer)
            if own_account.newest(context).head.generation > generation:
                introductions.introduce(context)
        else:
            changed = directory.learn(context, account, answer)
    if changed:
        leases.release_held(context, account)
        inbox.account_learned(context, account)
        outbox.account_learned(context, account)
    return changed
