"""The own account's lists: signing the next one, publishing, noticing changes (spec 02).

The phone never forks itself: a list is stored before it leaves, the same bytes are published
again until the relay has them, and every list extends the newest one that *this phone* signed.
A phone that meets a valid list of its own or a higher generation which it did not sign has
been displaced (or restored from a copy): it signs nothing any more until it recovers.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from untether.base.errors import LocalError, RefusedError
from untether.base.identifiers import DeviceNumber
from untether.base.limits import LISTS_PER_ANSWER_MAX
from untether.device import directory
from untether.device.context import Context
from untether.device.store import accounts, own_lists, own_standing, peers, publications
from untether.device.store.own_device import OwnDevice, State
from untether.device.store.own_standing import SigningStopped
from untether.device.store.publications import Publication
from untether.protocol.identity.certificate import DeviceCertificate, Role
from untether.protocol.identity.device_list import DeviceList, open_list, sign_list
from untether.protocol.identity.next_list import next_list_body
from untether.wire.client_frames import PublishLists
from untether.wire.content import DeviceNotice
from untether.wire.records import AccountLists, ListHead, SignedObject


def newest(context: Context) -> DeviceList:
    """Return the newest own list; every active device holds one."""
    held = directory.held_list(context, context.own.account_id)
    assert held is not None
    return held


def notice_of_this_device(context: Context, certificate: DeviceCertificate) -> DeviceNotice:
    """Return what this device says of itself to its own account."""
    own = context.own
    return DeviceNotice(
        device=certificate.device,
        certificate_hash=certificate.hash,
        name=own.device_name,
        device_kind=own.device_kind,
        added_at=context.now,
        platform=own.device_platform,
    )


def is_displaced(context: Context) -> bool:
    """Tell whether this phone must sign nothing until it has a new generation.

    That is so when its database was put back, when it met a list of its account that it did
    not sign, and when the account's lists are forked.
    """
    if own_standing.load(context.database).signing_stopped is not SigningStopped.NOT:
        return True
    if is_forked(context):
        return True
    return not own_lists.was_signed_here(context.database, newest(context).head)


def is_forked(context: Context) -> bool:
    """Tell whether two lists of the own account were seen for one place."""
    row = directory.row(context, context.own.account_id)
    return row is not None and row.forked


def stop_signing(context: Context, cause: SigningStopped, seen_generation: int = 0) -> None:
    """Let this phone sign nothing until it recovers; ``seen_generation`` is to be exceeded."""
    standing = own_standing.load(context.database)
    if standing.signing_stopped is not cause:
        own_standing.save(context.database, replace(standing, signing_stopped=cause))
        context.notice(cause.value)
    if seen_generation > context.own.generation:
        context.change_own(generation=seen_generation)


def newest_confirmed(context: Context) -> DeviceList | None:
    """Return the newest own list that the relay has confirmed."""
    signed = own_lists.newest_published(context.database)
    return None if signed is None else open_list(signed, context.own.account_key)


def require_phone(context: Context) -> OwnDevice:
    """Return this device if it is a phone; LocalError ``not-the-phone``."""
    own = context.active
    if own.role is not Role.PRIMARY:
        raise LocalError(
            "not-the-phone", "Only the phone can do that.", "Run the command on the phone."
        )
    return own


def require_signing(context: Context) -> OwnDevice:
    """Return this device if it may sign lists.

    Raises LocalError ``not-the-phone`` or RefusedError ``phone-displaced``.
    """
    own = require_phone(context)
    if is_displaced(context):
        raise RefusedError(
            "phone-displaced",
            "Another phone acts for this account now, or this one was restored from a copy.",
            f"If this is your phone: `untether recover {own.name} --server {own.origin}`.",
        )
    return own


def sign_next(
    context: Context,
    *,
    add: DeviceCertificate | None = None,
    remove: Sequence[DeviceNumber] = (),
) -> DeviceList:
    """Sign the list that follows, on the phone, and store it before it leaves.

    Devices that have resigned are left out of it. Raises as :func:`require_signing` does, and
    LocalError when ``add`` or ``remove`` do not fit the newest list.
    """
    own = require_signing(context)
    held = newest(context)
    gone = sorted({*remove, *resigned_devices(context)})
    body = next_list_body(held, now=context.now, lease_ms=own.lease_ms, add=add, remove=gone)
    signed = sign_list(body, own.secrets.signing_seed)
    following = open_list(signed, own.account_key, (*held.devices, *((add,) if add else ())))
    store(context, following, signed_here=True, published=False)
    for device in held.devices:
        if device.device in gone:
            peers.mark_removed(context.database, device, context.now)
    return following


def resigned_devices(context: Context) -> list[DeviceNumber]:
    """Return the devices of the newest own list that have logged themselves out."""
    resigned = accounts.resigned(context.database, context.own.account_id)
    return [device.device for device in newest(context).devices if device.device in resigned]


def store(context: Context, device_list: DeviceList, *, signed_here: bool, published: bool) -> None:
    """Hold a verified own list as the newest and keep it in the chain."""
    own_lists.add(context.database, device_list, signed_here=signed_here, published=published)
    accounts.save_list(context.database, device_list, context.own.name)
    directory.settle_claim(context, device_list)


def store_recovered(context: Context, first: DeviceList, *, published: bool) -> None:
    """Hold the first list of a generation that this phone started; it ends any fork.

    A new phone, which was on no list before, has no mail of the devices that are gone.
    """
    before = newest(context)
    store(context, first, signed_here=True, published=published)
    if published:
        own_lists.mark_published(context.database, first.head)
    accounts.save_fork(context.database, first.account_id, None)
    here_before = before.device(context.own.device) is not None
    for device in before.devices if here_before else ():
        if first.device(device.device) is None:
            peers.mark_removed(context.database, device, context.now)


def publish(context: Context) -> None:
    """Send the relay what it has not confirmed yet, up to the first list that brings something.

    Prekeys or a wipe order go with the very list that they belong to; the lists after it
    follow once the relay has confirmed it.
    """
    run: list[SignedObject] = []
    brought = Publication()
    for place, signed in own_lists.unpublished_places(context.database, LISTS_PER_ANSWER_MAX):
        run.append(signed)
        found = publications.find(context.database, place)
        if found is not None:
            brought = found
            break
    if run:
        context.request(
            PublishLists(
                lists=tuple(run),
                device=brought.added,
                prekeys=brought.prekeys,
                wipe_orders=() if brought.wipe_order is None else (brought.wipe_order,),
            )
        )


def mark_missing_at_relay(context: Context, newest_there: ListHead) -> None:
    """The relay holds less than this device (it was restored): it gets the rest again.

    The prekeys that came with a list that added a device are gone. The relay asks for them
    only when that list is the newest of the run, so the phone ends the run with another one.
    """
    taken_back = own_lists.mark_unpublished(context.database, newest_there)
    if taken_back and may_sign(context):
        sign_next(context)


def learn(context: Context, answer: AccountLists, *, published: bool = True) -> bool:
    """Take lists of the own account from the relay, or (not published) from another device."""
    before, resigned_before = newest(context), set(resigned_devices(context))
    changed = directory.learn(context, context.own.account_id, answer)
    after = newest(context)
    if after.head != before.head:
        _keep_chain(context, before, answer.lists, published=published)
        _notice_changes(context, before, after)
    for number in sorted(set(resigned_devices(context)) - resigned_before):
        context.notice("own-device-resigned", device=number)
    _leave_out_resigned(context)
    return changed


def may_sign(context: Context) -> bool:
    """Tell whether this device is a phone that may sign lists now."""
    own = context.own
    is_phone = own.role is Role.PRIMARY and own.state is State.ACTIVE
    return is_phone and not is_displaced(context)


def _leave_out_resigned(context: Context) -> None:
    """A companion has logged itself out: the phone's next list says so at once."""
    if resigned_devices(context) and may_sign(context):
        sign_next(context)
        publish(context)


def _keep_chain(
    context: Context, before: DeviceList, run: Sequence[SignedObject], *, published: bool
) -> None:
    known = before.devices
    for signed in run:
        device_list = open_list(signed, context.own.account_key, known)
        known = device_list.devices
        if before.head < device_list.head <= newest(context).head:
            if published:
                _settle_unpublished(context, before, device_list)
            before = device_list
            own_lists.add(context.database, device_list, signed_here=False, published=published)


def _settle_unpublished(context: Context, held: DeviceList, following: DeviceList) -> None:
    """The relay goes on from the list held, so it has it; or from another one, and never takes it.

    Only a phone that was put back from a copy learns so of lists that it waits to publish.
    """
    if following.previous_hash == held.head.hash:
        own_lists.mark_published(context.database, held.head)
    else:
        own_lists.delete_unpublished(context.database)


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
    if context.own.role is Role.PRIMARY:
        stop_signing(context, SigningStopped.DISPLACED, after.head.generation)
    elif after.head.generation > before.head.generation:
        context.notice("own-new-phone", device=after.primary.device)
