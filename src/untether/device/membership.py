"""Whether this device still belongs to its account (spec 02, "Removal").

A relay's word only suspends a device. Its keys are erased on a *verified* newer list without
it, and its messages only on a wipe order that the phone signed for exactly this device and a
list that removes it.
"""

from __future__ import annotations

from untether.base.errors import RemoteError
from untether.device import account_lists, own_account
from untether.device.context import Context
from untether.device.events import DeviceLoggedOut, DeviceSuspended
from untether.device.store import own_device
from untether.device.store.own_device import State
from untether.protocol.identity.device_list import DeviceList
from untether.protocol.identity.wipe_order import open_wipe_order, wipe_order_target
from untether.wire.client_frames import FetchLists
from untether.wire.records import AccountLists, SignedObject
from untether.wire.server_frames import Lists, ServerFrame


def not_listed(context: Context, answer: AccountLists) -> None:
    """The relay does not list this device: look at the signed lists before anything is lost."""
    try:
        account_lists.learn(context, context.own.account_id, answer)
    except RemoteError as error:
        context.notice("relay-lists-refused", context.own.account_id, cause=error.code)
    newest = own_account.newest(context)
    if not _lists_this_device(context, newest):
        wiped = any(_orders_wipe(context, newest, order) for order in answer.wipe_orders)
        _log_out(context, wipe=wiped)
    elif context.own.state is not State.SUSPENDED:
        context.change_own(state=State.SUSPENDED)
        context.notify(DeviceSuspended())


def on_lists(context: Context, request: FetchLists, answer: ServerFrame) -> None:
    """Take the relay's answer to a question for lists; a bad answer is as good as none."""
    if not isinstance(answer, Lists) or answer.account_id != request.account_id:
        return
    try:
        account_lists.learn(context, request.account_id, answer.account)
    except RemoteError as error:
        context.notice("relay-lists-refused", request.account_id, cause=error.code)
    if request.account_id == context.own.account_id:
        _check_listed(context)


def _check_listed(context: Context) -> None:
    if context.own.state in (State.ACTIVE, State.SUSPENDED) and not _lists_this_device(
        context, own_account.newest(context)
    ):
        _log_out(context, wipe=False)


def _lists_this_device(context: Context, device_list: DeviceList) -> bool:
    own = context.own
    certificate = device_list.device(own.device)
    return certificate is not None and certificate.public_keys == own.secrets.public_keys


def _orders_wipe(context: Context, newest: DeviceList, order: SignedObject) -> bool:
    try:
        device, _ = wipe_order_target(order)
        open_wipe_order(order, newest)
    except RemoteError:
        return False
    return device == context.own.device


def _log_out(context: Context, *, wipe: bool) -> None:
    own_device.erase_keys(context.database)
    if wipe:
        own_device.erase_messages(context.database)
    context.forget_own()
    context.notify(DeviceLoggedOut())
