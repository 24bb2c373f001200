"""A newer list of an account is here: what follows from it (spec 06, "Directory").

Lists reach a device in four ways: asked for, with an answer of the relay, at a refused login, and
as evidence inside a message. :func:`learn` takes the first three: the list is verified and stored,
parked mail of the account is opened, and messages that waited for it move on. Evidence is taken
with its message; what follows from it is done when all mail of that push was taken.
"""

from __future__ import annotations

from untether.base.identifiers import AccountId
from untether.device import directory, inbox, introductions, leases, outbox, own_account
from untether.device.context import Context
from untether.wire.records import AccountLists
from untether.wire.server_frames import Deliveries


def learn(context: Context, account: AccountId, answer: AccountLists) -> bool:
    """Take lists of any account; return whether they changed what is known.

    Raises RemoteError when they don't follow what is held; nothing is changed then.
    """
    if account == context.own.account_id:
        generation = own_account.newest(context).head.generation
        with context.undoable():
            changed = own_account.learn(context, answer)
        if changed:
            _own_account_learned(context, generation)
    else:
        with context.undoable():
            changed = directory.learn(context, account, answer)
        if changed:
            _account_learned(context, account)
    return changed


def take_mail(context: Context, deliveries: Deliveries) -> None:
    """Take what the relay pushes, and what follows when it brought lists of the own account."""
    before = own_account.newest(context).head
    inbox.take_deliveries(context, deliveries)
    if own_account.newest(context).head != before:
        _own_account_learned(context, before.generation)


def _own_account_learned(context: Context, generation_before: int) -> None:
    own = context.own
    if own_account.newest(context).head.generation > generation_before:
        introductions.introduce(context)
    _account_learned(context, own.account_id)


def _account_learned(context: Context, account: AccountId) -> None:
    leases.release_held(context, account)
    inbox.account_learned(context, account)
    outbox.account_learned(context, account)
