"""The own account's lists: signing the next one, publishing, noticing changes (spec 02).

The phone never forks itself: a list is stored before it leaves, the same bytes are published
again until the relay has them, and every list extends the newest one that *this phone* signed.
A phone that meets a valid list of its own or a higher generation which it did not sign has
been displaced (or restored from a copy): it signs nothing any more until it recovers.
"""

from __future__ import annotations

from collections.abc import Sequence

from untether.base.errors import LocalError
from untether.base.identifiers import DeviceNumber
from untether.base.limits import LEASE_RENEW_AFTER_MS
from untether.device import directory
from untether.device.context import Context
from untether.device.store import accounts, own_lists
from untether.device.store.own_device import State
from untether.protocol.identity.certificate import DeviceCertificate, Role
from untether.protocol.identity.device_list import DeviceList, open_list, sign_list
from untether.protocol.identity.list_rules import next_list_body
from untether.wire.client_frames import PublishLists
from untether.wire.records import AccountLists, ListHead, SignedObject
from untether.wire.server_frames import Done, Lists, ServerFrame


def newest(context: Context) -> DeviceList:
    """Return the newest own list; every active device holds one."""
    held = directory.held_list(context, context.own.account_id)
    assert held is not None
    return held


def is_displaced(context: Context) -> bool:
    """Tell whether this phone met a list of its account that it did not sign."""
    return not own_lists.was_signed_here(context.database, newest(context).head)


def sign_next(
    context: Context,
    *,
    add: DeviceCertificate | None = None,
    remove: Sequence[DeviceNumber] = (),
) -> DeviceList:
    """Sign the list that follows, on the phone, and store it before it leaves.

    Raises LocalError ``not-the-phone`` or ``displaced``.
    """
    own = context.active
    if own.role is not Role.PRIMARY:
        raise LocalError(
            "not-the-phone", "Only the phone can do that.", "Run the command on the phone."
        )
    if is_displaced(context):
        raise LocalError(
            "displaced",
            "Another phone acts for this account now, or this one was restored from a copy.",
            "If this is your phone, run `untether recover` here.",
        )
    held = newest(context)
    body = next_list_body(held, now=context.now, lease_ms=own.lease_ms, add=add, remove=remove)
    signed = sign_list(body, own.secrets.signing_seed)
    following = open_list(signed, own.account_key, held.devices)
    store(context, following, signed_here=True, published=False)
    return following


def store(context: Context, device_list: DeviceList, *, signed_here: bool, published: bool) -> None:
    """Hold a verified own list as the newest and keep it in the chain."""
    own_lists.add(context.database, device_list, signed_here=signed_here, published=published)
    accounts.save_list(context.database, device_list, context.own.name)


def publish(context: Context) -> None:
    """Send the relay what it has not confirmed yet."""
    run = own_lists.unpublished(context.database)
    if run:
        context.request(PublishLists(tuple(run)))


def mark_missing_at_relay(context: Context, newest_there: ListHead) -> None:
    """The relay holds less than this device (it was restored): it gets the rest again."""
    own_lists.mark_unpublished(context.database, newest_there)


def on_published(context: Context, request: PublishLists, answer: ServerFrame) -> None:
    """The relay took the lists, or holds newer ones."""
    if isinstance(answer, Done):
        newest_sent = open_list(request.lists[-1], context.own.account_key)
        own_lists.mark_published(context.database, newest_sent.head)
    elif isinstance(answer, Lists):
        learn(context, answer.account)


def learn(context: Context, answer: AccountLists, *, published: bool = True) -> bool:
    """Take lists of the own account from the relay, or (not published) from another device."""
    before = newest(context)
    changed = directory.learn(context, context.own.account_id, answer)
    _keep_chain(context, before, answer.lists, published=published)
    after = newest(context)
    if after.head != before.head:
        _notice_changes(context, before, after)
    return changed


def renew_lease_if_due(context: Context) -> None:
    """Renew on the phone once a day has passed since the newest list was issued."""
    own = context.own
    if own.role is not Role.PRIMARY or own.state is not State.ACTIVE or is_displaced(context):
        return
    if context.now - newest(context).issued_at >= LEASE_RENEW_AFTER_MS:
        sign_next(context)


def _keep_chain(
    context: Context, before: DeviceList, run: Sequence[SignedObject], *, published: bool
) -> None:
    known = before.devices
    for signed in run:
        device_list = open_list(signed, context.own.account_key, known)
        known = device_list.devices
        if before.head < device_list.head <= newest(context).head:
            own_lists.add(context.database, device_list, signed_here=False, published=published)


def _notice_changes(context: Context, before: DeviceList, after: DeviceList) -> None:
    gone = {device.device for device in before.devices} - {
        device.device for device in after.devices
    }
    added = {device.device for device in after.devices} - {
        device.device for device in before.devices
    }
    for number in sorted(added):
        context.notice("own-device-added", device=number)
    for number in sorted(gone):
        context.notice("own-device-removed", device=number)
    if after.head.generation > before.head.generation:
        context.notice("own-new-phone", device=after.primary.device)
    elif context.own.role is Role.PRIMARY:
        context.notice("phone-displaced")
