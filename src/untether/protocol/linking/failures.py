"""Every way in which linking fails, with the text that people read (spec 03, "Failures").

One table for both sides: the texts speak of “the phone” and “the new device”, so that they are
true on either screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, cast, get_args

from untether.base.errors import (
    LocalError,
    RefusedError,
    TrustError,
    UntetherError,
    VerificationError,
)
from untether.wire.link_offer import RefusalCode


class Failure(NamedTuple):
    """Who must act (by the class), what happened, and what to do next."""

    error: type[UntetherError]
    message: str
    hint: str


_START_AGAIN: Final = "Start linking again on the new device and use the new code."

FAILURES: Final[Mapping[str, Failure]] = {
    "link-text-malformed": Failure(
        LocalError,
        "This is not a complete link code.",
        "Copy the whole text that starts with untether://link/, or scan its QR code.",
    ),
    "link-version-newer": Failure(
        LocalError,
        "The new device runs a newer Untether than this phone.",
        "Update Untether on the phone, then start linking again.",
    ),
    "link-wrong-relay": Failure(
        LocalError,
        "The new device uses another relay than the phone.",
        "Start linking on the new device with the relay of your account.",
    ),
    "link-not-the-phone": Failure(
        LocalError,
        "Only the phone of an account can link a new device.",
        "Use the phone to scan the code.",
    ),
    "link-limit-reached": Failure(
        LocalError,
        "The account has all the devices it may have.",
        "Log out a device that is not needed any more, then start linking again.",
    ),
    "link-expired": Failure(LocalError, "The link code has expired.", _START_AGAIN),
    "link-used": Failure(LocalError, "The link code was used before.", _START_AGAIN),
    "link-unanswered": Failure(
        LocalError,
        "The new device gave no answer in time.",
        "Start linking again, and answer the question on the new device while the phone waits.",
    ),
    "link-clock": Failure(
        LocalError,
        "The clocks of the phone and of the new device differ by several minutes.",
        "Set both clocks, then start linking again.",
    ),
    "link-verification-refused": Failure(
        VerificationError,
        "The owner of the account was not verified on the phone.",
        "Start linking again and confirm on the phone that it is you.",
    ),
    "link-declined": Failure(
        LocalError,
        "The new device said that this account is not its owner's.",
        "If it should be yours, start linking again and check the account that it shows.",
    ),
    "link-cancelled": Failure(LocalError, "Linking was cancelled.", _START_AGAIN),
    "link-list-moved-on": Failure(
        RefusedError,
        "The devices of the account changed while this one was being linked.",
        _START_AGAIN,
    ),
    "link-tampered": Failure(
        TrustError,
        "What came through the relay was not what the other device sent.",
        "Nothing was linked. If it happens again, do not trust this relay.",
    ),
    "link-wrong-moment": Failure(
        LocalError,
        "Linking is not at this step.",
        "Look at what both devices show; cancel and start again if they disagree.",
    ),
}


_REFUSALS: Final[Mapping[str, RefusalCode]] = {
    "list-from-the-future": "link-clock",
    "too-many-devices": "link-limit-reached",
    "not-the-phone": "link-list-moved-on",
    "number-used": "link-list-moved-on",
    "phone-displaced": "link-list-moved-on",
}
"""What the rules of lists call it when a link can't be finished; all else is tampering."""


def link_error(code: str) -> UntetherError:
    """Return the error for a code of :data:`FAILURES`."""
    failure = FAILURES[code]
    return failure.error(code, failure.message, failure.hint)


def refusal_code(error: UntetherError) -> RefusalCode:
    """Return the code by which one side tells the other that this error ended the link."""
    if error.code in get_args(RefusalCode):
        return cast("RefusalCode", error.code)
    return _REFUSALS.get(error.code, "link-tampered")
