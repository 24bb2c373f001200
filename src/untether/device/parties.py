"""Devices as the ends of sessions: identity and pairwise meet here (spec 04, "Parties")."""

from __future__ import annotations

from untether.device.context import Context
from untether.protocol.identity.certificate import DeviceCertificate
from untether.protocol.pairwise.parties import Party


def own_party(context: Context) -> Party:
    """This device as its peers see it."""
    own = context.own
    keys = own.public_keys
    return Party(own.account_key, own.device, keys.signing_key, keys.agreement_key)


def party_of(certificate: DeviceCertificate) -> Party:
    """Return the device of a verified certificate."""
    return Party(
        certificate.account_key,
        certificate.device,
        certificate.signing_key,
        certificate.agreement_key,
    )
