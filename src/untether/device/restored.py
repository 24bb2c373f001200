"""Databases that were put back from a copy: this device's, and the relay's (spec 02, "Copies").

Each login carries a counter that rises by one, and the relay answers with the highest it saw
before. Whoever of the two is behind has forgotten something. A relay that forgot no login shows
itself by more prekeys in stock than are left here: a used pair is among them again. A relay that
lies can provoke a renewal or hide a copy: this is a convenience for honest mishaps, not a defence.

A device that was put back must never seal with an old session again (its peers take the
repeated keys for duplicates), so every session is replaced before it is used. Its prekeys are
replaced when the mailbox is drained: until then mail may need the private halves. A phone may
have signed lists that it forgot, so it signs, and sends, nothing until it has recovered
(``same_phone``).
"""

from __future__ import annotations

from msgspec.structs import replace

from untether.base.limits import LOGIN_COUNTER_MAX
from untether.device import outgoing, own_account, prekeys
from untether.device.context import Context
from untether.device.store import contacts, own_standing, peers
from untether.device.store import outbox as outbox_rows
from untether.device.store import prekeys as prekey_rows
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
