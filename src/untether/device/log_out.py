"""Logging devices out (spec 02, "Log-out").

The phone signs a list without the device; an honest relay then cuts it off in the same step.
A companion logs itself out by a resignation, which counts for everybody at once and for ever;
it keeps its keys until the relay has confirmed, so that a lost answer can be asked for again.
"""

from __future__ import annotations

from untether.base.errors import LocalError
from untether.base.identifiers import DeviceNumber
from untether.device import membership, own_account
from untether.device.context import Context
from untether.device.inputs import LogOutDevice, Resign
from untether.device.store import own_resignation, publications
from untether.device.store.publications import Publication
from untether.protocol.identity.certificate import Role
from untether.protocol.identity.device_list import DeviceList
from untether.protocol.identity.resignation import sign_resignation
from untether.protocol.identity.wipe_order import sign_wipe_order
from untether.wire import client_frames
from untether.wire.records import SignedObject
from untether.wire.server_frames import Done, ServerFrame


def log_out(context: Context, command: LogOutDevice) -> None:
    """Sign the list without a companion, with an order to wipe it when that is wanted.

    Raises LocalError ``not-the-phone``, ``phone-stays`` or ``no-such-device``, and RefusedError
    ``phone-displaced``.
    """
    own = own_account.require_signing(context)
    if command.device == own.device:
        raise _phone_stays()
    if own_account.newest(context).device(command.device) is None:
        raise LocalError(
            "no-such-device",
            f"The account has no device {command.device}.",
            "See the numbers with `untether devices`.",
        )
    sign_without(context, command.device, wipe=command.wipe)
    own_account.publish(context)


def sign_without(context: Context, device: DeviceNumber, *, wipe: bool) -> None:
    """Sign the list without a companion, and what travels with it; nothing leaves yet."""
    following = own_account.sign_next(context, remove=(device,))
    order = wipe_order(context, device, following) if wipe else None
    brought = Publication(removed=device, wipe_order=order)
    publications.add(context.database, following.head, brought)


def wipe_order(context: Context, device: DeviceNumber, without: DeviceList) -> SignedObject:
    """Sign the order to wipe a device, which names an own list without it."""
    own = context.own
    return sign_wipe_order(own.secrets.signing_seed, own.account_id, device, without.head.hash)


def resign(context: Context, command: Resign) -> None:
    """Sign this companion's own log-out; LocalError ``phone-stays`` on the phone."""
    own = context.active
    if own.role is Role.PRIMARY:
        raise _phone_stays()
    signed = sign_resignation(
        own.secrets.signing_seed,
        own.account_id,
        own.device,
        own_account.newest(context).head.hash,
    )
    own_resignation.save(context.database, signed, wipe=command.wipe)
    send_resignation(context)


def send_resignation(context: Context) -> None:
    """Send the own resignation, if there is one that the relay has not confirmed."""
    signed = own_resignation.load(context.database)
    if signed is not None:
        context.request(client_frames.Resign(signed))


def on_resigned(context: Context, request: client_frames.Resign, answer: ServerFrame) -> None:
    """The relay has it: this device is out of its account, and its keys go.

    Its messages go in the same step, if that was wanted.
    """
    if isinstance(answer, Done) and own_resignation.load(context.database) == request.resignation:
        membership.leave(context, wipe=own_resignation.wants_wipe(context.database))


def _phone_stays() -> LocalError:
    return LocalError(
        "phone-stays",
        "The phone can't be logged out of its own account.",
        "To use another phone, run `recover` on it; other devices can be logged out here.",
    )
