"""Names, pinned accounts and visible breaks (spec 06, "Contacts").

A name is the relay's word until security codes are compared. It is asked for once and pinned;
when the relay later gives another account for it, that is a break: the old contact keeps its
conversation, nothing is merged, and only the person points the name to the new account. An account
has one name, so what is known under another one is no answer.
"""

from __future__ import annotations

from untether.base.errors import LocalError, RemoteError, TrustError
from untether.base.identifiers import AccountId
from untether.device import account_lists, directory, repair
from untether.device.context import Context
from untether.device.events import NameResolved, RequestRefused
from untether.device.inputs import AcceptContact, MarkVerified
from untether.device.store import contacts
from untether.wire.client_frames import ResolveName
from untether.wire.server_frames import Lists, Refused, ServerFrame


def on_resolved(context: Context, request: ResolveName, answer: ServerFrame) -> None:
    """Pin the account that the relay gives for a name, or show that it is another one now."""
    if isinstance(answer, Refused):
        context.notify(RequestRefused("resolve-name", answer.code, answer.retry_after_ms))
        return
    if not isinstance(answer, Lists):
        return
    try:
        _check_has_no_other_name(context, answer.account_id, request.name)
        account_lists.learn(context, answer.account_id, answer.account)
    except (RemoteError, TrustError) as error:
        if error.code != "list-gap":
            context.notify(RequestRefused("resolve-name", error.code))
            return
        directory.fetch(context, answer.account_id)  # known, and lists in between are missing
    account = _pin(context, request.name, answer.account_id)
    context.notify(NameResolved(request.name, account))


def account_of(context: Context, name: str) -> AccountId | None:
    """Return the account pinned for a name, the own account for the own name.

    Raises TrustError ``identity-changed`` for a verified contact with a break.
    """
    if name == context.own.name:
        return context.own.account_id
    contact = contacts.by_name(context.database, name)
    if contact is None:
        return None
    if contact.verified and contact.waiting_account_id is not None:
        raise TrustError(
            "identity-changed",
            f"“{name}” is another account now than the one you verified.",
            f"Ask {name} by another way; then `untether contacts accept {name}`.",
        )
    return contact.account_id


def accept(context: Context, command: AcceptContact) -> None:
    """Point a name to its new account; the old conversation stays, nothing stays verified."""
    contact = contacts.require(context.database, command.name)
    if contact.waiting_account_id is None:
        raise LocalError(
            "nothing-to-accept",
            f"The identity of “{command.name}” has not changed.",
            "There is nothing to do; `untether contacts` marks names that have changed.",
        )
    contacts.repoint(context.database, contact.name, contact.waiting_account_id)
    repair.contact_known(context, contact.waiting_account_id)


def mark_verified(context: Context, command: MarkVerified) -> None:
    """The person has compared the security codes with this contact."""
    contact = contacts.require(context.database, command.name)
    if contact.waiting_account_id is not None:
        raise TrustError(
            "identity-changed",
            f"“{command.name}” is another account now.",
            f"First `untether contacts accept {command.name}`, then compare the codes again.",
        )
    contacts.mark_verified(context.database, contact.name)


def _check_has_no_other_name(context: Context, account: AccountId, name: str) -> None:
    contact = contacts.by_account(context.database, account)
    known = contact.name if contact else name
    if account == context.own.account_id:
        known = context.own.name
    if known != name:
        raise RemoteError("account-of-another-name", f"That is the account of “{known}”.")


def _pin(context: Context, name: str, account: AccountId) -> AccountId:
    contact = contacts.by_name(context.database, name)
    if contact is None:
        contacts.add(context.database, name, account, context.now)
        repair.contact_known(context, account)
        return account
    if contact.account_id == account:
        if contact.waiting_account_id is not None:
            contacts.save_break(context.database, name, None)
    elif contact.waiting_account_id != account:
        contacts.save_break(context.database, name, account)
        context.notice("identity-changed", contact.account_id, name=name)
    return contact.account_id
