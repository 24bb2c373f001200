"""What the relay says to own lists that were sent to it (spec 02, "Publishing").

A list that was signed can't be taken back, and every later list builds on it. So when the
relay refuses the device that a list adds, the phone signs one more list without it; the relay
takes both, and the phone is never stuck behind a list that nobody will have.
"""

from __future__ import annotations

from untether.base.errors import RemoteError
from untether.device import admission, outbox, own_account
from untether.device.context import Context
from untether.device.events import DeviceRemoved
from untether.device.store import own_lists, publications
from untether.protocol.identity.device_list import open_list
from untether.wire.client_frames import PublishLists
from untether.wire.server_frames import PASSING_REFUSALS, Done, Lists, Refused, ServerFrame

LATER = PASSING_REFUSALS | {"not-listed"}
"""Refusals that say nothing about the lists: they are sent again at the next connection."""


def on_published(context: Context, request: PublishLists, answer: ServerFrame) -> None:
    """The relay took the lists, holds others, or refuses them."""
    if isinstance(answer, Done):
        _taken(context, request)
    elif isinstance(answer, Lists):
        _conflict(context, request, answer)
    elif isinstance(answer, Refused) and answer.code not in LATER:
        _refused(context, request, answer.code)


def _taken(context: Context, request: PublishLists) -> None:
    newest_sent = open_list(request.lists[-1], context.own.account_key)
    own_lists.mark_published(context.database, newest_sent.head)
    for brought in publications.take(context.database, newest_sent.head):
        if brought.added is not None:
            admission.admitted(context, brought.added)
        if brought.removed is not None:
            context.notify(DeviceRemoved(brought.removed))
    own_account.publish(context)
    outbox.account_learned(context, context.own.account_id)


def _conflict(context: Context, request: PublishLists, answer: Lists) -> None:
    try:
        own_account.learn(context, answer.account)
    except RemoteError as error:
        # The relay is behind, or lies; the next login tells which of its lists are missing.
        context.notice("relay-lists-refused", context.own.account_id, cause=error.code)
    if request.device is not None and not own_account.may_sign(context):
        admission.not_admitted(context, request.device, "link-list-moved-on")


def _refused(context: Context, request: PublishLists, code: str) -> None:
    device = request.device
    if device is None or not own_account.may_sign(context):
        context.notice("lists-not-taken", context.own.account_id, cause=code)
        return
    sent = open_list(request.lists[-1], context.own.account_key)
    if publications.find(context.database, sent.head) is None:
        return  # an earlier answer has decided already
    publications.take(context.database, sent.head)
    if own_account.newest(context).device(device) is not None:
        own_account.sign_next(context, remove=(device,))
    admission.not_admitted(context, device, "link-tampered")
    own_account.publish(context)
