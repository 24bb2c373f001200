"""Telling the own devices who this one is: name, kind, date (spec 02, "Introductions").

Certificates say none of it, since strangers read them. A phone tells what it links; what nobody
could tell is told here: a new phone introduces itself after a recovery, and the companions
that it kept introduce themselves to it.
"""

from __future__ import annotations

from untether.device import outgoing, own_account
from untether.device.context import Context
from untether.device.store import device_notices
from untether.device.store.own_device import State
from untether.wire.content import DeviceNotice


def introduce_new_phone(context: Context) -> None:
    """At a login: a phone that nobody has introduced, itself included, tells its devices."""
    if _own_notice(context) is None:
        own = context.own
        certificate = own_account.newest(context).device(own.device)
        if certificate is None:
            return
        notice = own_account.notice_of_this_device(context, certificate)
        device_notices.save(context.database, notice)
        introduce(context)


def introduce(context: Context) -> None:
    """Send what is known of this device to the own other devices."""
    own, notice = context.own, _own_notice(context)
    is_alone = len(own_account.newest(context).devices) == 1
    if notice is not None and own.state is State.ACTIVE and not is_alone:
        outgoing.send_control(context, own.account_id, notice)


def _own_notice(context: Context) -> DeviceNotice | None:
    devices = own_account.newest(context).devices
    told = device_notices.of_devices(context.database, devices)
    return next((one for one in told if one.device == context.own.device), None)
