"""A new account: its first list, made on the device that becomes its phone (spec 02).

The account key is made outside the engine and signs the phone's certificate by user
verification, like any other. Everything is stored before the relay hears of it, so a lost
answer is healed by asking again; a refusal leaves the profile as unused as before.
"""

from __future__ import annotations

from msgspec.structs import replace

from untether.base.identifiers import DeviceNumber
from untether.base.names import check_name
from untether.device import own_account, prekeys
from untether.device.context import Context
from untether.device.events import AccountActivated, RequestRefused
from untether.device.inputs import BeginRecovery, BeginRegistration, CertificateSigned
from untether.device.store import device_notices, own_device, own_lists
from untether.device.store.own_device import OwnDevice, State
from untether.protocol.identity.certificate import (
    Role,
    issue_certificate_body,
    sign_as_device,
    verify_certificate,
)
from untether.protocol.identity.device_list import open_list, sign_list
from untether.protocol.identity.keys import DeviceSecrets
from untether.protocol.identity.next_list import first_list_body
from untether.wire.client_frames import Register
from untether.wire.records import SignedCertificate
from untether.wire.server_frames import PASSING_REFUSALS, Done, Refused, ServerFrame


def begin(context: Context, command: BeginRegistration) -> None:
    """Make this device's keys and have the account key certify them."""
    context.require_unused("register")
    own = new_phone(context, command, State.REGISTERING)
    context.save_own(replace(own, invitation=command.invitation, recovery_code_unseen=True))
    _ask_for_certificate(context)


def new_phone(
    context: Context, command: BeginRegistration | BeginRecovery, state: State
) -> OwnDevice:
    """Return the row of a device that is to be a phone, with keys of its own."""
    return OwnDevice(
        state=state,
        account_key=command.account_key,
        name=check_name(command.name),
        origin=command.origin,
        relay_id=command.relay_id,
        role=Role.PRIMARY,
        device=DeviceNumber(0),
        secrets=DeviceSecrets.generate(context.randomness),
        device_name=command.device_name,
        device_kind="phone",
        device_platform=command.device_platform,
        sealed_account_seed=command.sealed_account_seed,
    )


def certificate_signed(context: Context, signed: CertificateSigned) -> None:
    """Sign the first list and ask the relay; without a connection it is asked at the next.

    The owner may have been asked twice, e.g. at a connection that came meanwhile. A second
    signature changes nothing: another first list would fork the account.
    """
    own = context.own
    if own.certificate is not None:
        submit(context)
        return
    certificate = SignedCertificate(
        body=signed.body,
        account_signature=signed.account_signature,
        device_signature=sign_as_device(own.secrets.signing_seed, signed.body, own.account_key),
    )
    phone = verify_certificate(certificate, own.account_key)
    context.change_own(certificate=certificate)
    body = first_list_body(phone, now=context.now, lease_ms=own.lease_ms)
    first = open_list(sign_list(body, own.secrets.signing_seed), own.account_key, (phone,))
    own_account.store(context, first, signed_here=True, published=False)
    device_notices.save(context.database, own_account.notice_of_this_device(context, phone))
    submit(context)


def verification_refused(context: Context) -> None:
    """The owner was not verified: the profile is unused again, unless they were before."""
    if context.own.certificate is None:
        _abandon(context)


def _abandon(context: Context) -> None:
    own_device.erase_everything(context.database)
    context.forget_own()


def submit(context: Context) -> None:
    """Ask the relay to admit the account, with everything that a new account brings."""
    own = context.own
    if own.certificate is None:
        _ask_for_certificate(context)
        return
    context.request(
        Register(
            name=own.name,
            lists=tuple(own_lists.unpublished(context.database)),
            prekeys=prekeys.full_stock(context),
            invitation=own.invitation,
        )
    )


def on_answer(context: Context, request: Register, answer: ServerFrame) -> None:
    """The account exists, or the profile is unused again."""
    own = context.own_or_none
    if own is None or own.state is not State.REGISTERING:
        return
    if isinstance(answer, Done):
        prekeys.mark_uploaded(context, request.prekeys)
        own_lists.mark_published(context.database, own_account.newest(context).head)
        context.change_own(state=State.ACTIVE, invitation=None)
        context.notify(AccountActivated(own.account_id, own.name, own.device))
    elif isinstance(answer, Refused):
        if answer.code not in PASSING_REFUSALS:
            _abandon(context)
        context.notify(RequestRefused("register", answer.code, answer.retry_after_ms))


def _ask_for_certificate(context: Context) -> None:
    own = context.own
    context.sign_certificate(
        issue_certificate_body(
            account_key=own.account_key,
            device=own.device,
            role=own.role,
            generation=own.generation,
            keys=own.secrets.public_keys,
        )
    )
