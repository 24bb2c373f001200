"""Device certificates: Automatic Device Verification (spec 02, "Device certificate").

The account key vouches for the device, and the device's own key vouches for the account, so
neither can be claimed by the other. Both signatures are checked by everyone, always, and
against the *pinned* account key: the key inside the body is only ever compared with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from msgspec import Struct

from untether.base import base32
from untether.base.errors import RemoteError
from untether.base.identifiers import AccountId, DeviceAddress, DeviceNumber
from untether.base.limits import CERTIFICATE_BODY_MAX
from untether.crypto import hashes, labels
from untether.protocol.identity.account import account_id
from untether.protocol.identity.keys import (
    DevicePublicKeys,
    check_agreement_key,
    check_signing_key,
)
from untether.protocol.identity.signing import check_signature, sign
from untether.wire.codec import Record, decode_canonical, encode
from untether.wire.fields import Bytes32, DeviceNumberField, Uint32
from untether.wire.records import SignedCertificate

SUITE: Final = 1
"""X25519, Ed25519, ML-KEM-768 and the hashes and ciphers of spec 01."""

_SHORT_CODE_LENGTH: Final = 12
_SHORT_CODE_GROUP: Final = 4


class Role(IntEnum):
    """What a device is in its account."""

    PRIMARY = 0
    COMPANION = 1


class CertificateBody(Record, frozen=True):
    """What both signatures cover; ``generation`` is 0 for companions."""

    suite: Uint32
    account_key: Bytes32
    device: DeviceNumberField
    role: Role
    generation: Uint32
    signing_key: Bytes32
    agreement_key: Bytes32


class DeviceCertificate(Struct, frozen=True):
    """A verified certificate; made by :func:`verify_certificate` only."""

    account_key: bytes
    account_id: AccountId
    device: DeviceNumber
    role: Role
    generation: int
    signing_key: bytes
    agreement_key: bytes
    signed: SignedCertificate

    @property
    def address(self) -> DeviceAddress:
        """Account id and device number."""
        return DeviceAddress(self.account_id, self.device)

    @property
    def public_keys(self) -> DevicePublicKeys:
        """Both device keys: what makes a number the same device."""
        return DevicePublicKeys(self.signing_key, self.agreement_key)

    @property
    def hash(self) -> bytes:
        """Hash (32 bytes) of the body; signatures are not part of it."""
        return certificate_hash(self.signed.body)

    @property
    def short_code(self) -> str:
        """Sixty bits of the hash for people to compare, e.g. ``7kqa-x2mf-p4ce``."""
        return short_code(self.signed.body)


def certificate_hash(body: bytes) -> bytes:
    """Return the hash (32 bytes) of a certificate's body."""
    return hashes.blake2b_256(labels.CERTIFICATE_HASH, body)


def short_code(body: bytes) -> str:
    """Return what people compare of a certificate, also before its device has signed it."""
    text = base32.encode(certificate_hash(body))[:_SHORT_CODE_LENGTH]
    starts = range(0, _SHORT_CODE_LENGTH, _SHORT_CODE_GROUP)
    return "-".join(text[start : start + _SHORT_CODE_GROUP] for start in starts)


def issue_certificate_body(
    *,
    account_key: bytes,
    device: DeviceNumber,
    role: Role,
    generation: int,
    keys: DevicePublicKeys,
) -> bytes:
    """Encode the body that account and device are going to sign."""
    body = CertificateBody(
        suite=SUITE,
        account_key=account_key,
        device=device,
        role=role,
        generation=generation,
        signing_key=keys.signing_key,
        agreement_key=keys.agreement_key,
    )
    _check_body(body, account_key)
    return encode(body)


def sign_as_account(account_seed: bytes, body: bytes) -> bytes:
    """Make the account signature over label ‖ body."""
    return sign(account_seed, labels.CERTIFICATE_ACCOUNT, body)


def sign_as_device(device_seed: bytes, body: bytes, account_key: bytes) -> bytes:
    """Make the device signature over label ‖ body ‖ account key."""
    return sign(device_seed, labels.CERTIFICATE_DEVICE, body, account_key)


def verify_certificate(
    signed: SignedCertificate, account_key: bytes, known: Iterable[DeviceCertificate] = ()
) -> DeviceCertificate:
    """Check a certificate against the pinned account key; RemoteError when anything is off.

    ``known`` are certificates verified before: one with the same bytes is returned as it is,
    so that renewing a list costs one signature check.
    """
    for certificate in known:
        if certificate.signed == signed and certificate.account_key == account_key:
            return certificate
    body = open_account_signature(signed.body, signed.account_signature, account_key)
    check_signature(
        body.signing_key,
        signed.device_signature,
        labels.CERTIFICATE_DEVICE,
        signed.body,
        account_key,
        code="bad-device-signature",
    )
    return DeviceCertificate(
        account_key=account_key,
        account_id=account_id(account_key),
        device=body.device,
        role=body.role,
        generation=body.generation,
        signing_key=body.signing_key,
        agreement_key=body.agreement_key,
        signed=signed,
    )


def open_account_signature(body: bytes, signature: bytes, account_key: bytes) -> CertificateBody:
    """Check one half, body and account signature: what a companion gets before it signs."""
    certificate = decode_canonical(body, CertificateBody, size_max=CERTIFICATE_BODY_MAX)
    _check_body(certificate, account_key)
    check_signature(
        account_key, signature, labels.CERTIFICATE_ACCOUNT, body, code="bad-account-signature"
    )
    return certificate


def _check_body(body: CertificateBody, account_key: bytes) -> None:
    if body.suite != SUITE:
        raise RemoteError(
            "unknown-suite",
            f"A device uses cryptographic suite {body.suite}, this version knows {SUITE}.",
            "Update this installation.",
        )
    if body.account_key != account_key:
        raise RemoteError("wrong-account", "A certificate belongs to another account.")
    if body.role is Role.COMPANION and body.generation != 0:
        raise RemoteError("wrong-generation", "Only a phone's certificate has a generation.")
    if body.signing_key == account_key:
        raise RemoteError("key-reused", "A device uses the account key as its own.")
    check_signing_key(account_key)
    check_signing_key(body.signing_key)
    check_agreement_key(body.agreement_key)
