"""The profile of a linked device: from “yes, mine” to a listed device (spec 03, "Companion")."""

from __future__ import annotations

from untether.device import own_account, prekeys
from untether.device.context import Context
from untether.device.events import AccountActivated
from untether.device.store import device_notices, links
from untether.device.store.links import CompanionRow
from untether.device.store.own_device import OwnDevice, State
from untether.protocol.identity.certificate import (
    DeviceCertificate,
    Role,
    open_account_signature,
)
from untether.protocol.identity.device_list import open_list
from untether.protocol.linking.companion import CompanionLink
from untether.protocol.linking.machine import known


def store(context: Context, row: CompanionRow) -> None:
    """Store this device in state *linking*, for the account that answered."""
    answer, text = known(row.link.answer), row.link.link_text
    body = open_account_signature(answer.certificate, answer.account_signature, answer.account_key)
    context.save_own(
        OwnDevice(
            state=State.LINKING,
            account_key=answer.account_key,
            name=answer.account_name,
            origin=text.relay_address,
            relay_id=text.relay_id,
            role=Role.COMPANION,
            device=body.device,
            secrets=row.link.secrets,
            device_name=row.device_name,
            device_kind=row.device_kind,
            device_platform=row.device_platform,
        )
    )


def activate(context: Context, row: CompanionRow, link: CompanionLink) -> None:
    """The relay lists this device: keep the chain that says so, and what the phone told."""
    own = context.own
    verified: tuple[DeviceCertificate, ...] = ()
    for signed in link.lists:
        device_list = open_list(signed, own.account_key, verified)
        verified = device_list.devices
        own_account.store(context, device_list, signed_here=False, published=True)
    for notice in known(link.answer).notices:
        device_notices.save(context.database, notice)
    certificate = known(own_account.newest(context).device(own.device))
    device_notices.save(context.database, own_account.notice_of_this_device(context, certificate))
    links.remove(context.database, row.slot_id)
    prekeys.mark_uploaded(context, prekeys.unconfirmed(context))
    context.change_own(state=State.ACTIVE)
    context.notify(AccountActivated(own.account_id, own.name, own.device))
