"""What the relay says to own lists that were sent to it (spec 02, "Publishing").

A list that was signed can't be taken back, and every later list builds on it. So when the
relay refuses the device that a list adds, the phone signs one more list without it; the relay
takes both, and the phone is never stuck behind a list that nobody will have. A list that a
clock far ahead has dated is followed by another one as soon as that clock is right: only the
newest of a run is compared with the time.
"""

from __future__ import annotations

from msgspec.structs import replace

from untether.base.errors import RemoteError
from untether.base.identifiers import DeviceNumber, UnixMillis
from untether.device import (
    account_lists,
    linking_admission,
    log_out,
    membership,
    outbox,
    own_account,
    same_phone,
)
from untether.device.context import Context
from untether.device.events import DeviceRemoved, RequestRefused
from untether.device.store import own_lists, publications
from untether.device.store.publications import Publication
from untether.protocol.identity.device_list import DeviceList, open_list
from untether.protocol.linking.failures import refusal_code
from untether.wire.client_frames import PublishLists
from untether.wire.server_frames import PASSING_REFUSALS, Done, Lists, Refused, ServerFrame

LATER = PASSING_REFUSALS | {"not-listed"}
"""Refusals that say nothing about the lists: they are sent again at the next connection."""

AHEAD = "list-from-the-future"
"""What a relay calls a list whose date lies ahead of its clock."""


def on_published(context: Context, request: PublishLists, answer: ServerFrame) -> None:
    """The relay took the lists, holds others, or refuses them."""
    if isinstance(answer, Done):
        _taken(context, request, answer.relay_time)
    elif isinstance(answer, Lists):
        _conflict(context, request, answer)
    elif isinstance(answer, Refused) and answer.code not in LATER:
        _refused(context, request, answer.code)


def _taken(context: Context, request: PublishLists, relay_time: UnixMillis) -> None:
    newest_sent = _newest_sent(context, request)
    own_lists.mark_published(context.database, newest_sent.head)
    for brought in publications.take(context.database, newest_sent.head):
        if brought.added is not None:
            linking_admission.admitted(context, brought.added)
        if brought.removed is not None:
            context.notify(DeviceRemoved(brought.removed))
    if newest_sent.ahead_ms(relay_time):  # its clock was ahead too, when it took the list
        _date_again(context, newest_sent)
    own_account.publish(context)
    membership.look_for_resigned(context)  # an answer that lacked these lists said nothing of it
    outbox.account_learned(context, context.own.account_id)


def _newest_sent(context: Context, request: PublishLists) -> DeviceList:
    return open_list(request.lists[-1], context.own.account_key)


def _conflict(context: Context, request: PublishLists, answer: Lists) -> None:
    try:
        account_lists.learn(context, context.own.account_id, answer.account)
    except RemoteError as error:
        # The relay is behind, or lies; the next login tells which of its lists are missing.
        context.notice("relay-lists-refused", context.own.account_id, cause=error.code)
    if request.device is not None and not own_account.may_sign(context):
        linking_admission.not_admitted(context, request.device, "link-list-moved-on")


def _refused(context: Context, request: PublishLists, code: str) -> None:
    if code == AHEAD and _date_again(context, _newest_sent(context, request)):
        own_account.publish(context)
    elif request.device is not None and own_account.may_sign(context):
        _leave_out(context, request.device, _newest_sent(context, request), code)
    elif code == AHEAD or not same_phone.generation_refused(context, code):
        if code == AHEAD:
            context.notice("clock-ahead")
        else:
            context.notice("lists-not-taken", context.own.account_id, cause=code)
        context.notify(RequestRefused("publish", code))


def _leave_out(context: Context, device: DeviceNumber, sent: DeviceList, code: str) -> None:
    """Sign one more list without the device that the refused one has added."""
    if publications.find(context.database, sent.head) is None:
        return  # an earlier answer has decided already
    publications.take(context.database, sent.head)
    if own_account.newest(context).device(device) is not None:
        own_account.sign_next(context, remove=(device,))
    refused = RemoteError(code, "The relay refused the list with the new device.")
    linking_admission.not_admitted(context, device, refusal_code(refused))
    own_account.publish(context)


def _date_again(context: Context, sent: DeviceList) -> bool:
    """Sign another list when ``sent`` lies ahead of this clock too; tell whether it does.

    What waits to travel with a list travels with a new one.
    """
    if not sent.ahead_ms(context.now) or not own_account.may_sign(context):
        return False
    newest = own_account.newest(context)
    waiting = publications.take(context.database, newest.head)
    if not waiting and newest.head == sent.head:
        own_account.sign_next(context)
    for brought in waiting:
        following = own_account.sign_next(context)
        publications.add(context.database, following.head, _for_list(context, brought, following))
    return True


def _for_list(context: Context, brought: Publication, following: DeviceList) -> Publication:
    """Return what travels with another list than the one that it was made for."""
    if brought.removed is None or brought.wipe_order is None:
        return brought
    return replace(brought, wipe_order=log_out.wipe_order(context, brought.removed, following))
