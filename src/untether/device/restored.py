"""Databases that were put back from a copy: this device's, and the relay's (spec 02, "Copies").

Each login carries a counter that rises by one, and the relay answers with the highest it saw
before. Whoever of the two is behind has forgotten something. A relay that forgot no login shows
itself by more prekeys in stock than are left here: a used pair is among them again. A relay that
lies can provoke a renewal or hide a copy: this is a convenience for honest mishaps, not a defence.

A device that was put back must never seal with an old session again (its peers take the
repeated keys for duplicates), so every session is replaced before it is used. Its prekeys are
replaced when the mailbox is drained: until then mail may need the private halves. A phone may
have signed lists that it forgot, so it signs, and sends, nothing until it has recovered.
"""

from __future__ import annotations

from dataclasses import replace

from untether.base.errors import LocalError
from untether.base.limits import LOGIN_COUNTER_MAX
from untether.device import (
    admission,
    directory,
    log_out,
    new_generation,
    outbox,
    outgoing,
    own_account,
    prekeys,
    recovery,
)
from untether.device.context import Context
from untether.device.events import AccountActivated, RequestRefused
from untether.device.inputs import CertificateSigned, RecoverSamePhone
from untether.device.store import accounts, contacts, own_lists, own_standing, peers, publications
from untether.device.store import outbox as outbox_rows
from untether.device.store import prekeys as prekey_rows
from untether.device.store.own_device import State
from untether.device.store.own_standing import Renewal, SigningStopped
from untether.protocol.identity.certificate import Role
from untether.wire.client_frames import Login
from untether.wire.server_frames import Welcome


def compare_memories(context: Context, login: Login, welcome: Welcome) -> None:
    """Notice who of the two was put back, from the counters and heads of one login."""
    own, standing = context.own, own_standing.load(context.database)
    if welcome.counter > own.login_counter or welcome.counter == login.counter:
        _this_device_was(context, welcome.counter)
    elif login.counter > standing.welcomed_counter and (
        welcome.counter < standing.welcomed_counter
        or _lost_lists(context, welcome)
        or welcome.one_time_prekeys > prekey_rows.count_one_time(context.database)
    ):
        own_standing.save(context.database, replace(standing, renewal=Renewal.DUE))
    standing = own_standing.load(context.database)
    counter = max(standing.welcomed_counter, login.counter)
    own_standing.save(context.database, replace(standing, welcomed_counter=counter))


def drained(context: Context) -> None:
    """The mailbox is drained: replace prekeys, and sessions by new ones, if that is due."""
    standing = own_standing.load(context.database)
    if standing.renewal is Renewal.NOT_DUE or standing.signing_stopped is not SigningStopped.NOT:
        return
    if standing.renewal is Renewal.DUE:
        prekeys.replace_all(context)
        own_standing.save(context.database, replace(standing, renewal=Renewal.MADE))
    prekeys.send_replacement(context)
    for account, device in peers.to_renew(context.database):
        known = contacts.by_account(context.database, account) is not None
        if known or account == context.own.account_id:
            outgoing.turn_ratchet(context, account, device)


def recover_same_phone(context: Context, _command: RecoverSamePhone) -> None:
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
    active = own.state in (State.ACTIVE, State.SUSPENDED)
    return active and signed.body == new_generation.certificate_body(own)


def verification_refused(context: Context) -> bool:
    """Tell whether the account key was to sign for this phone itself, and say that it won't."""
    own = context.own
    waits = own.state in (State.ACTIVE, State.SUSPENDED) and own_account.is_displaced(context)
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
            admission.not_admitted(context, brought.added, "link-list-moved-on")
        gone = brought.removed
        if gone is None or gone in added or own_account.newest(context).device(gone) is None:
            continue
        log_out.sign_without(context, gone, wipe=brought.wipe_order is not None)


def _this_device_was(context: Context, counter: int) -> None:
    context.change_own(
        login_counter=max(context.own.login_counter, min(counter, LOGIN_COUNTER_MAX))
    )
    standing = own_standing.load(context.database)
    own_standing.save(context.database, replace(standing, renewal=Renewal.DUE))
    peers.ask_to_renew(context.database)
    outbox_rows.unseal_all(context.database)
    if context.own.role is Role.PRIMARY:
        own_account.stop_signing(context, SigningStopped.RESTORED)
    else:
        context.notice(SigningStopped.RESTORED.value)


def _lost_lists(context: Context, welcome: Welcome) -> bool:
    confirmed = own_account.newest_confirmed(context)
    return confirmed is not None and welcome.head.place < confirmed.head.place
