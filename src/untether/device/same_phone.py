"""A phone that goes on in a new generation after it had to stop signing (spec 02, "Recovery").

It was put back from a copy, or learned of lists of its account that it did not sign. With the
account key, which only its user opens, it begins a generation that ends every doubt. When the
relay can't take that generation, its lists are dropped with it and the user is asked again.
"""

from __future__ import annotations

from msgspec.structs import replace

from untether.base.errors import LocalError
from untether.device import (
    directory,
    linking_admission,
    log_out,
    new_generation,
    outbox,
    outgoing,
    own_account,
    recovery,
)
from untether.device.context import Context
from untether.device.events import AccountActivated, RequestRefused
from untether.device.inputs import CertificateSigned, RecoverSamePhone
from untether.device.store import accounts, own_lists, own_standing, peers, publications
from untether.device.store.own_standing import Renewal, SigningStopped


def recover(context: Context, _command: RecoverSamePhone) -> None:
    """Start a new generation on this phone, by user verification.

    A phone that is still listed keeps number and keys. One that another phone has replaced
    becomes a new phone: its owner confirms the companions as in any recovery.
    """
    own = own_account.require_phone(context)
    if not own_account.is_displaced(context):
        raise LocalError(
            "not-displaced", "This phone acts for its account already.", "There is nothing to do."
        )
    if own_account.is_forked(context) and own_lists.unpublished(context.database, 1):
        _begin_from_confirmed(context, own.generation, "list-forked")
        return
    newest = own_account.newest(context)
    listed = newest.device(own.device)
    if listed is None or listed.public_keys != own.secrets.public_keys:
        recovery.begin_again(context)
        return
    generation = max(newest.head.generation, own.generation) + 1
    context.change_own(generation=generation)
    context.sign_certificate(new_generation.certificate_body(context.own))


def is_recovering(context: Context, signed: CertificateSigned) -> bool:
    """Tell whether the account key has signed for this phone itself, and not for a companion."""
    own = context.own
    return own.takes_part and signed.body == new_generation.certificate_body(own)


def verification_refused(context: Context) -> bool:
    """Tell whether the account key was to sign for this phone itself, and say that it won't."""
    waits = context.own.takes_part and own_account.is_displaced(context)
    if waits:
        context.notify(RequestRefused("recover", "verification-refused"))
    return waits


def certificate_signed(context: Context, signed: CertificateSigned) -> None:
    """The account key vouches for this phone's new generation: its first list goes out.

    Only the first time: when the owner was asked twice, a second list would fork the account.
    """
    certificate = context.own.certificate
    if certificate is not None and certificate.body == signed.body:
        return
    held = own_account.newest(context)
    gone = own_account.resigned_devices(context)
    kept = [one.device for one in held.companions if one.device not in gone]
    first = new_generation.sign_first_list(context, signed, held, kept)
    own_account.store_recovered(context, first, published=False)
    standing = own_standing.load(context.database)
    own_standing.save(
        context.database,
        replace(standing, signing_stopped=SigningStopped.NOT, renewal=Renewal.DUE),
    )
    _do_again(context)
    peers.ask_to_renew(context.database)
    outgoing.seal_again(context)
    own_account.publish(context)
    outbox.advance_all(context)
    own = context.own
    context.notify(AccountActivated(own.account_id, own.name, own.device))


def generation_refused(context: Context, code: str) -> bool:
    """Drop a generation that this phone began and the relay can't take; tell whether it has.

    It began with too old a list, e.g. before the newest one was fetched. The generation goes
    with its lists, so no two lists are ever signed for one place; the owner is asked again.
    """
    confirmed = own_account.newest_confirmed(context)
    newest = own_account.newest(context)
    if confirmed is None or newest.head.generation <= confirmed.head.generation:
        return False
    _begin_from_confirmed(context, newest.head.generation, code)
    return True


def _begin_from_confirmed(context: Context, seen_generation: int, code: str) -> None:
    """Give up lists in whose place the relay holds others, fetch those, and ask the owner again.

    Both are this phone's, in two lives; nobody else was shown the ones that were not confirmed.
    """
    confirmed = own_account.newest_confirmed(context)
    own_lists.delete_unpublished(context.database)
    if confirmed is not None:
        accounts.save_list(context.database, confirmed, context.own.name)
    own_account.stop_signing(context, SigningStopped.RESTORED, seen_generation)
    context.notify(RequestRefused("recover", code))
    directory.fetch(context, context.own.account_id)


def _do_again(context: Context) -> None:
    """Log out again whom lists that were given up had logged out; links that they had made end.

    A number that only those lists had given out may be another device's by now.
    """
    given_up = publications.take_given_up(context.database)
    added = {brought.added for brought in given_up}
    for brought in given_up:
        if brought.added is not None:
            linking_admission.not_admitted(context, brought.added, "link-list-moved-on")
        gone = brought.removed
        if gone is None or gone in added or own_account.newest(context).device(gone) is None:
            continue
        log_out.sign_without(context, gone, wipe=brought.wipe_order is not None)
