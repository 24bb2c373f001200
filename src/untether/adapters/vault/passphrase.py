"""A vault that a passphrase opens (spec 09, "Vault").

It writes one seal and opens the first one made with a passphrase.
"""

from __future__ import annotations

from untether.adapters.vault.account_seals import checked_seed, encode_seals, first_seal
from untether.adapters.vault.asking import PassphraseSource, open_with
from untether.adapters.vault.passphrase_seal import (
    METHOD_PASSPHRASE,
    Argon2Cost,
    open_secret,
    seal_secret,
)
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes
from untether.crypto import labels


class PassphraseVault:
    """Implements :class:`untether.client.vault.Vault`; the person types a passphrase.

    Deriving the key takes a tenth of a second, in which the event loop stands still.
    """

    def __init__(
        self, passphrases: PassphraseSource, randomness: Randomness, cost: Argon2Cost | None = None
    ) -> None:
        self._passphrases = passphrases
        self._randomness = randomness
        self._cost = cost or Argon2Cost()

    async def seal(self, account_seed: SecretBytes) -> bytes:
        """See the port."""
        passphrase = await self._passphrases.new("opens your account, for example to link a device")
        seal = seal_secret(
            account_seed,
            passphrase,
            labels.PASSPHRASE_SEAL,
            cost=self._cost,
            randomness=self._randomness,
        )
        return encode_seals([seal])

    async def open(self, sealed: bytes, reason: str) -> SecretBytes:
        """See the port."""
        seal = first_seal(sealed, METHOD_PASSPHRASE, "a passphrase")
        return checked_seed(
            await open_with(
                self._passphrases,
                reason,
                lambda typed: open_secret(seal, typed, labels.PASSPHRASE_SEAL),
            )
        )
