"""What the relay's refusals mean for a person: code → text and next step (spec 08, "Refusals")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from untether.base.errors import NetworkError, RateLimitedError, RefusedError, UntetherError
from untether.wire.client_frames import ClientFrame, Login, StartReceiving
from untether.wire.server_frames import PASSING_REFUSALS, Refused

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "account-exists": (
        "This account is registered on the relay already.",
        "Use `untether --profile DIR recover …` to act for it from a new phone.",
    ),
    "account-of-another-name": (
        "The relay gives for this name an account that you know under another one.",
        "Nothing was changed. Tell the relay's owner: an account has one name, for ever.",
    ),
    "bad-endpoint": (
        "The relay does not call the push service of this browser: its address is no public one.",
        "Read messages with the app open, or use another browser.",
    ),
    "invitation-needed": (
        "This relay takes new accounts by invitation only, and the given one is not valid.",
        "Ask the relay's owner for an invitation and give it with --invitation.",
    ),
    "key-in-use": (
        "A key of this device is used by another account already.",
        "Start again in a new profile.",
    ),
    "lease-too-long": (
        "The relay does not accept device lists that hold for so long.",
        "Choose a shorter time.",
    ),
    "list-from-the-future": (
        "The clock of this device is more than a day ahead of the relay's.",
        "Set the clock, then try again; if it is right, tell the relay's owner.",
    ),
    "mailbox-full": (
        "The mailbox of the receiver is full.",
        "It is tried again; the receiver must connect first.",
    ),
    "name-taken": ("This name belongs to another account.", "Choose another name."),
    "no-such-account": ("The relay does not know this account.", "Check the name and the relay."),
    "not-allowed": (
        "The relay does not allow this to this device.",
        "Check `untether status`; a logged-out device must be linked again.",
    ),
    "not-listed": (
        "This device is not on its account's list any more.",
        "Link it again in a new profile: `untether --profile DIR link …`.",
    ),
    "push-off": (
        "This relay does not wake devices that are not connected.",
        "Ask its owner to set push_contact.",
    ),
    "registration-closed": (
        "This relay takes no new accounts.",
        "Ask its owner, or use another relay.",
    ),
    "relay-failure": (
        "The relay has a problem of its own, for example a full disk.",
        "Try again later; if it stays, tell the relay's owner.",
    ),
    "too-many-slots": (
        "Too many devices are being linked on this relay right now.",
        "Try again in a few minutes.",
    ),
    "wrong-origin": (
        "The relay does not go by the address that was dialled.",
        "Use the address that its owner gave; the owner can add it as a public origin.",
    ),
}

_UNEXPECTED: Final = "Update Untether on this device; if it stays, tell the relay's owner."
"""These are not for people: an honest relay gives them to a device that is not in order."""


def refusal(code: str, retry_after_ms: int = 0) -> UntetherError:
    """Return the error for a refusal, with the seconds to wait when there are any."""
    retry_after_s = -(-retry_after_ms // 1000)
    if code == "rate-limited":
        return RateLimitedError(
            code,
            "The relay asks to slow down.",
            f"Try again in {retry_after_s} seconds.",
            retry_after_s=retry_after_s,
        )
    message, hint = _TEXTS.get(code, (f"The relay refused the request ({code}).", _UNEXPECTED))
    if retry_after_s:
        return RefusedError(code, message, hint, retry_after_s=retry_after_s)
    return RefusedError(code, message, hint)


def passes(error: UntetherError) -> bool:
    """Tell whether an error passes with time: it says nothing about what was asked."""
    return isinstance(error, NetworkError) or error.code in PASSING_REFUSALS


def ends_connection(request: ClientFrame, answer: Refused) -> bool:
    """Tell whether nothing goes on without what was refused: a login, or mail, until later."""
    passing = answer.code in PASSING_REFUSALS
    return isinstance(request, Login) or (isinstance(request, StartReceiving) and passing)
