"""Secrets that never print themselves (spec 01, "Secrets in memory").

Python can't wipe ``bytes``; SECURITY.md says so. What this type does prevent is the
commonest leak: a secret inside a log line, a traceback or a failed assertion.
"""

from __future__ import annotations

from typing import Self

from untether.base.randomness import Randomness


class SecretBytes(bytes):
    """Secret bytes, e.g. a seed; usable as ``bytes``, but opaque in ``repr``."""

    def __repr__(self) -> str:
        return f"<secret, {len(self)} bytes>"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    @classmethod
    def generate(cls, length: int, randomness: Randomness) -> Self:
        """Draw a fresh secret of ``length`` bytes."""
        return cls(randomness(length))
