"""Why a pairwise message could not be opened (spec 04, "Refusals").

Each class is one decision for the inbox: acknowledge and forget, or start a repair. None of
them changed anything.
"""

from __future__ import annotations

from untether.base.errors import RemoteError


class DuplicateMessageError(RemoteError):
    """Its key was used already: acknowledge, never repair."""

    def __init__(self) -> None:
        super().__init__("duplicate-message", "This message was opened before.")


class UnknownSessionError(RemoteError):
    """It belongs to a session that this device does not hold (any more)."""

    def __init__(self) -> None:
        super().__init__(
            "unknown-session", "The other device sealed this for a state that is gone here."
        )


class BadMessageError(RemoteError):
    """It is malformed, forged or damaged, or sealed for another device."""

    def __init__(self, reason: str = "no key fits") -> None:
        super().__init__("bad-message", f"The message can't be opened: {reason}.")


class TooFarAheadError(RemoteError):
    """Opening it would skip more messages than are allowed before it is proven genuine."""

    def __init__(self, missing: int) -> None:
        super().__init__(
            "too-far-ahead",
            f"The message claims that {missing} others before it are missing.",
            missing=missing,
        )


class PrekeyGoneError(RemoteError):
    """It starts a session with a prekey that was used, replaced or never made here."""

    def __init__(self) -> None:
        super().__init__(
            "prekey-gone", "The other device used a key of this device that no longer exists."
        )


class MessageKeyExpiredError(RemoteError):
    """Its key was kept for a late arrival, and then deleted unused."""

    def __init__(self) -> None:
        super().__init__(
            "message-key-expired", "The message came so late that its key was deleted already."
        )
