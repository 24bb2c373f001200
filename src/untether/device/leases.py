"""Leases of lists: renewing the own one, and what ended ones hold back (spec 02, "Lease").

The phone renews only after the relay has just shown it that no newer list exists: at a login
that names the list held, or after an answer to a question. So a phone that was put back from
a copy learns of its own later lists before it signs another one in their place.
"""

from __future__ import annotations

from msgspec.structs import replace

from untether.base.errors import LocalError
from untether.base.identifiers import DAY_MS, AccountId, UnixMillis
from untether.base.limits import (
    HELD_RETRY_MS,
    LEASE_MAX_MS,
    LEASE_MIN_MS,
    LEASE_RENEW_AFTER_MS,
    LEASE_WARNING_PERCENT,
)
from untether.device import arrivals, directory, own_account
from untether.device.context import Context
from untether.device.inputs import SetLease
from untether.device.store import accounts, messages, own_lists, own_standing
from untether.device.store.accounts import AccountRow
from untether.protocol.identity.certificate import Role
from untether.protocol.identity.lease import LeaseState, lease_state
from untether.wire.client_frames import PublishLists


def state_of(context: Context, account: AccountId) -> LeaseState | None:
    """Judge the lease of the newest list held of an account; None when none is held."""
    row = directory.row(context, account)
    return None if row is None else _state_in(context, row)


def _state_in(context: Context, row: AccountRow) -> LeaseState:
    return lease_state(directory.list_of(row), context.now, row.lease_ended_at)


def is_over_for_this_device(context: Context) -> bool:
    """Tell whether this is a companion that nobody may write to until its phone renews."""
    own = context.own
    over = (LeaseState.ENDED, LeaseState.LONG_ENDED)
    return own.role is Role.COMPANION and state_of(context, own.account_id) in over


def set_lease(context: Context, command: SetLease) -> None:
    """Choose how long companions go on without the phone; signed and published at once."""
    if not LEASE_MIN_MS <= command.lease_ms <= LEASE_MAX_MS:
        raise LocalError(
            "bad-lease",
            f"Companions can't go on without the phone for {command.lease_ms // DAY_MS} days.",
            f"Choose between {LEASE_MIN_MS // DAY_MS} and {LEASE_MAX_MS // DAY_MS} days.",
            lease_ms=command.lease_ms,
        )
    own_account.require_signing(context)
    context.change_own(lease_ms=command.lease_ms)
    own_account.sign_next(context)
    own_account.publish(context)


def renew_if_due(context: Context) -> None:
    """Renew on the phone; the relay has just shown that it holds no newer list."""
    if own_account.may_sign(context):
        newest = own_account.newest(context)
        if newest.ahead_ms(context.now) and not own_lists.unpublished(context.database, 1):
            # The relay took it; its answer to the repetition tells what time it is there.
            context.request(PublishLists((newest.signed,)))
        due = UnixMillis(newest.issued_at + LEASE_RENEW_AFTER_MS)
        if context.now >= due:
            own_account.sign_next(context)
            own_account.publish(context)
            due = UnixMillis(context.now + LEASE_RENEW_AFTER_MS)
        context.wake_at(due)


def tick(context: Context) -> None:
    """Ask whether a renewal is possible once it is due; on a companion, warn in time.

    Whoever's messages are held back may have renewed: nobody else would tell. A phone that has
    renewed the own lease itself shows what it held of its companions.
    """
    held = messages.held_authors(context.database)
    for account in held:
        release_held(context, account)
    for account in messages.held_authors(context.database) if held else ():
        directory.fetch(context, account)
        context.wake_at(UnixMillis(context.now + HELD_RETRY_MS))
    own, newest = context.own, own_account.newest(context)
    if own.role is Role.COMPANION:
        _warn(context)
    elif context.now >= newest.issued_at + LEASE_RENEW_AFTER_MS and own_account.may_sign(context):
        directory.fetch(context, own.account_id)


def release_held(context: Context, account: AccountId) -> None:
    """A newer list of an account is held: show what its lease held back, if it runs again.

    Messages of a device that is gone by now are given up: nobody will ever vouch for them.
    """
    if state_of(context, account) not in (LeaseState.RUNNING, LeaseState.GRACE):
        return
    device_list = directory.held_list(context, account)
    assert device_list is not None
    resigned = accounts.resigned(context.database, account)
    for message in messages.held_from(context.database, account):
        number = message.author_device
        if device_list.device(number) is not None and number not in resigned:
            messages.release(context.database, message)
            arrivals.announce(context, replace(message, held=False))
        else:
            messages.forget(context.database, message)
            context.notice("message-lost", account, cause="device-removed", device=number)


def ask_if_long_ended(context: Context, row: AccountRow | None) -> bool:
    """Tell whether an account's phone was silent for the longest lease; people hear of it once.

    ``row`` is what is held of the account, just read.
    """
    if row is None or _state_in(context, row) is not LeaseState.LONG_ENDED:
        return False
    if not row.long_ended_asked:
        accounts.mark_asked(context.database, row.account_id)
        context.notice("lease-long-ended", row.account_id)
    return True


def _warn(context: Context) -> None:
    newest = own_account.newest(context)
    length = newest.expires_at - newest.issued_at
    due = UnixMillis(newest.issued_at + length * LEASE_WARNING_PERCENT // 100)
    standing = own_standing.load(context.database)
    if standing.lease_warned == newest.head.hash:
        return
    if context.now < due:
        context.wake_at(due)
        return
    own_standing.save(context.database, replace(standing, lease_warned=newest.head.hash))
    context.notice("lease-warning", expires_at=newest.expires_at)
