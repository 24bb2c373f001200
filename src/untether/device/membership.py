"""Whether this device still belongs to its account (spec 02, "Log-out").

A relay's word only suspends a device. A companion's keys are erased on a *verified* newer list
without it (or on its own resignation), and its messages only on a wipe order that the phone
signed for exactly this device and a list of the chain that removes it, or where its owner
resigned it so. A phone is never erased but by its user: one that has been displaced may recover.
"""

from __future__ import annotations

from collections.abc import Iterable

from untether.base.errors import RemoteError
from untether.base.identifiers import AccountId
from untether.device import (
    account_lists,
    directory,
    leases,
    linking_companion,
    outbox,
    own_account,
    recovery,
    repair,
)
from untether.device.context import Context
from untether.device.events import DeviceLoggedOut, DeviceSuspended
from untether.device.store import accounts, own_device, own_lists, own_resignation
from untether.device.store.own_device import State
from untether.protocol.identity.certificate import Role
from untether.protocol.identity.device_list import open_list
from untether.protocol.identity.wipe_order import open_wipe_order, wipe_order_target
from untether.wire.client_frames import FetchLists
from untether.wire.records import AccountLists, SignedObject
from untether.wire.server_frames import Lists, Refused, ServerFrame


def not_listed(context: Context, answer: AccountLists) -> None:
    """The relay does not list this device: look at the signed lists before anything is lost.

    The relay shows its newest list only. When lists before it are missing here, they are
    asked for, and this device stays suspended until they are followed.
    """
    if not context.own.takes_part:
        return
    try:
        account_lists.learn(context, context.own.account_id, answer)
    except RemoteError as error:
        if error.code == "list-gap":
            directory.fetch(context, context.own.account_id)
        else:
            context.notice("relay-lists-refused", context.own.account_id, cause=error.code)
    _leave_if_removed(context, answer.wipe_orders)
    if context.own.state is State.ACTIVE:
        context.change_own(state=State.SUSPENDED)
        context.notify(DeviceSuspended())


def on_lists(context: Context, request: FetchLists, answer: ServerFrame) -> None:
    """Take the relay's answer to a question for lists; a bad answer is as good as none."""
    own = context.own
    if own.state is State.RECOVERING:
        recovery.on_lists(context, request, answer)
        return
    if isinstance(answer, Refused):
        outbox.account_refused(context, request.account_id, answer)
    if not isinstance(answer, Lists) or answer.account_id != request.account_id:
        return
    if own.state is State.LINKING:
        linking_companion.on_lists(context, answer)
        return
    try:
        account_lists.learn(context, request.account_id, answer.account)
    except RemoteError as error:
        if not _lacks_ours(context, request.account_id, error):
            context.notice("relay-lists-refused", request.account_id, cause=error.code)
    if request.account_id == own.account_id:
        _leave_if_removed(context, answer.account.wipe_orders)
        if context.own.state is State.ACTIVE:
            leases.renew_if_due(context)


def look(context: Context) -> None:
    """Lists reach a device in many ways; if one lacks it, the relay may hold a wipe order too."""
    if not is_present(context):
        directory.fetch(context, context.own.account_id)


def look_for_resigned(context: Context) -> None:
    """A companion may have resigned meanwhile; the head of the account's list does not show it."""
    if own_account.newest(context).companions:
        directory.fetch(context, context.own.account_id)


def is_present(context: Context) -> bool:
    """Tell whether the newest verified list has this device, and it has not resigned."""
    own = context.own
    certificate = own_account.newest(context).device(own.device)
    return (
        certificate is not None
        and certificate.public_keys == own.public_keys
        and own.device not in accounts.resigned(context.database, own.account_id)
    )


def leave(context: Context, *, wipe: bool) -> None:
    """Erase the keys of this device, and with ``wipe`` what people wrote."""
    repair.give_up_all(context, "logged-out")
    own_device.erase_keys(context.database)
    if wipe:
        own_device.erase_messages(context.database)
    context.forget_own()
    context.notify(DeviceLoggedOut())


def _lacks_ours(context: Context, account: AccountId, error: RemoteError) -> bool:
    """Tell whether the relay just has not taken yet what this device has published."""
    is_own = account == context.own.account_id
    waiting = is_own and own_lists.unpublished(context.database, 1)
    return bool(waiting) and error.code == "list-rolled-back"


def _leave_if_removed(context: Context, wipe_orders: Iterable[SignedObject]) -> None:
    own = context.own
    if own.takes_part and own.role is Role.COMPANION and not is_present(context):
        ordered = any(_orders_wipe(context, order) for order in wipe_orders)
        leave(context, wipe=ordered or own_resignation.wants_wipe(context.database))


def _orders_wipe(context: Context, order: SignedObject) -> bool:
    """Tell whether an order is for this device and fits the list of the chain that it names."""
    try:
        device, list_hash = wipe_order_target(order)
        removing = own_lists.with_hash(context.database, list_hash)
        if device != context.own.device or removing is None:
            return False
        open_wipe_order(order, open_list(removing, context.own.account_key))
    except RemoteError:
        return False
    return True
