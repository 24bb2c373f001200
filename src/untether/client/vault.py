"""The vault port: user verification that unlocks the account key (spec 09, "Vault").

The account seed rests only as seals that a person opens: with a passphrase, a passkey or a
security key. Opening may ask the person, so it is asynchronous and never happens inside the
engine. Whoever opens it signs once and drops the seed.
"""

from __future__ import annotations

from typing import Protocol

from untether.base.secret_bytes import SecretBytes


class Vault(Protocol):
    """Seals the account seed by user verification, and opens it by user verification."""

    async def seal(self, account_seed: SecretBytes) -> bytes:
        """Return the sealed account seed, opaque to the engine; asks for a new verification."""
        ...

    async def open(self, sealed: bytes, reason: str) -> SecretBytes:
        """Return the account seed; ``reason`` tells the person what they agree to.

        Raises VerificationError, e.g. ``passphrase-wrong``, and then nothing was unlocked.
        """
        ...
