"""The first list of a generation that this phone starts (spec 02, "Recovery").

Shared by a new phone and by one that recovers itself: the account key certifies the phone
with a higher generation, and the phone's own key signs the list that begins it.
"""

from __future__ import annotations

from collections.abc import Collection

from untether.base.errors import LocalError
from untether.base.identifiers import DeviceNumber
from untether.device.context import Context
from untether.device.inputs import CertificateSigned
from untether.device.store.own_device import OwnDevice
from untether.protocol.identity.certificate import (
    Role,
    issue_certificate_body,
    sign_as_device,
    verify_certificate,
)
from untether.protocol.identity.device_list import DeviceList, open_list, sign_list
from untether.protocol.identity.next_list import recovered_list_body
from untether.wire.records import SignedCertificate


def certificate_body(own: OwnDevice) -> bytes:
    """Return what the account key is to sign for this phone."""
    return issue_certificate_body(
        account_key=own.account_key,
        device=own.device,
        role=Role.PRIMARY,
        generation=own.generation,
        keys=own.secrets.public_keys,
    )


def sign_first_list(
    context: Context, signed: CertificateSigned, held: DeviceList, kept: Collection[DeviceNumber]
) -> DeviceList:
    """Complete this phone's new certificate and sign the first list of its generation."""
    own = context.own
    if signed.body != certificate_body(own):
        raise LocalError(
            "certificate-outdated",
            "What was signed belongs to an earlier try of this recovery.",
            f"Run `untether recover {own.name} --server {own.origin}` again.",
        )
    certificate = SignedCertificate(
        body=signed.body,
        account_signature=signed.account_signature,
        device_signature=sign_as_device(own.secrets.signing_seed, signed.body, own.account_key),
    )
    phone = verify_certificate(certificate, own.account_key)
    body = recovered_list_body(held, phone, kept, context.now, own.lease_ms)
    context.change_own(certificate=certificate)
    known = (phone, *held.devices)
    return open_list(sign_list(body, own.secrets.signing_seed), own.account_key, known)
