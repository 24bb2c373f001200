"""The login signature (spec 02, "Login"; its frames are in spec 08).

The device signs which relay, which origin it dialled, both nonces, its address and a rising
counter, so a login can't be passed on by another relay or site, nor be replayed.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from untether.base.errors import RemoteError
from untether.base.limits import ORIGIN_MAX
from untether.crypto import labels
from untether.protocol.identity.certificate import DeviceCertificate
from untether.protocol.identity.signing import check_signature, sign
from untether.wire.codec import Record, encode
from untether.wire.fields import (
    AccountIdField,
    Bytes32,
    DeviceNumberField,
    RelayIdField,
    Uint53,
)


class LoginStatement(Record, frozen=True):
    """What a device signs to log in. It never travels: each side builds it from what it knows."""

    relay_id: RelayIdField
    origin: Annotated[str, Meta(max_length=ORIGIN_MAX)]
    server_nonce: Bytes32
    client_nonce: Bytes32
    account_id: AccountIdField
    device: DeviceNumberField
    counter: Uint53


def sign_login(device_seed: bytes, statement: LoginStatement) -> bytes:
    """Sign a login with the device's signing seed; returns 64 bytes."""
    return sign(device_seed, labels.LOGIN, encode(statement))


def verify_login(
    certificate: DeviceCertificate, statement: LoginStatement, signature: bytes
) -> None:
    """Raise RemoteError unless the certified device signed exactly this statement."""
    if (statement.account_id, statement.device) != certificate.address:
        raise RemoteError("wrong-device", "A login names another device than its certificate.")
    check_signature(
        certificate.signing_key,
        signature,
        labels.LOGIN,
        encode(statement),
        code="bad-login-signature",
    )
