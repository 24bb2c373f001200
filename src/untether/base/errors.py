"""Errors, split by who must act (spec 00, "Errors").

Each error carries a stable ``code`` (part of the CLI contract), a message that says what
happened, a ``hint`` that says what to do next, and ``details`` with the numbers. The exit
status of the command line follows from the class.
"""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit statuses of the command line (docs/command-line.md, "Exit status")."""

    OK = 0
    USER_ERROR = 1
    USAGE = 2
    NETWORK = 3
    UNTRUSTED = 4
    RATE_LIMITED = 5
    REFUSED = 6
    VERIFICATION = 7


class UntetherError(Exception):
    """Base of everything that this package raises on purpose."""

    exit_status = ExitStatus.USER_ERROR

    def __init__(self, code: str, message: str, hint: str = "", **details: int | str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class LocalError(UntetherError):
    """The caller must act: a wrong argument, an unknown name, a state that forbids the act."""


class RemoteError(UntetherError):
    """A peer or the relay sent what can't be accepted; nothing was changed by it."""

    exit_status = ExitStatus.REFUSED


class PlatformError(UntetherError):
    """Disk, database, key store or clock of this machine failed; nothing was half done."""


class NetworkError(UntetherError):
    """The relay can't be reached; what was queued stays queued."""

    exit_status = ExitStatus.NETWORK


class TrustError(UntetherError):
    """An identity changed or a proof contradicts what is pinned; a person must decide."""

    exit_status = ExitStatus.UNTRUSTED


class RateLimitedError(UntetherError):
    """Too much, too fast; ``details['retry_after_s']`` says when to try again."""

    exit_status = ExitStatus.RATE_LIMITED


class RefusedError(UntetherError):
    """The relay refused a request by its rules."""

    exit_status = ExitStatus.REFUSED


class VerificationError(UntetherError):
    """User verification is needed, or it failed."""

    exit_status = ExitStatus.VERIFICATION
