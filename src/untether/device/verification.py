"""User verification has answered: what it was asked for (spec 02, "Device certificate").

It happens outside the engine. Its outcome comes back as one of two inputs, and the state of this
device tells for whom the account key has signed.
"""

from __future__ import annotations

from collections.abc import Callable

from untether.device import linking_phone, recovery, registration, same_phone
from untether.device.context import Context
from untether.device.inputs import CertificateSigned, VerificationRefused
from untether.device.store.own_device import State

SIGNED: dict[State, Callable[[Context, CertificateSigned], None]] = {
    State.REGISTERING: registration.certificate_signed,
    State.RECOVERING: recovery.certificate_signed,
}
"""State → what a signed certificate is for; in any other state, a device to be linked."""

REFUSED: dict[State, Callable[[Context], None]] = {
    State.REGISTERING: registration.verification_refused,
    State.RECOVERING: recovery.verification_refused,
}
"""State → what ends when the owner was not verified."""


def signed(context: Context, event: CertificateSigned) -> None:
    """The account key has signed."""
    if same_phone.is_recovering(context, event):
        same_phone.certificate_signed(context, event)
        return
    SIGNED.get(context.own.state, linking_phone.certificate_signed)(context, event)


def refused(context: Context, _event: VerificationRefused) -> None:
    """The account key will not sign."""
    if same_phone.verification_refused(context):
        return
    REFUSED.get(context.own.state, linking_phone.verification_refused)(context)
