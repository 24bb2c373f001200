"""A vault that a passphrase opens (spec 09, "Vault").

The sealed account seed is a MessagePack array of seals; the first byte of a seal is its
method. This vault writes one seal and opens the first one made with a passphrase.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from untether.adapters.vault.asking import PassphraseSource, open_with
from untether.adapters.vault.passphrase_seal import (
    METHOD_PASSPHRASE,
    Argon2Cost,
    open_secret,
    seal_secret,
)
from untether.base.errors import PlatformError, RemoteError, VerificationError
from untether.base.limits import SEAL_MAX, SEALS_MAX
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes
from untether.crypto import labels
from untether.wire import codec

_Seal = Annotated[bytes, Meta(min_length=1, max_length=SEAL_MAX)]
_Seals = Annotated[list[_Seal], Meta(min_length=1, max_length=SEALS_MAX)]
_SEALED_MAX: Final = SEALS_MAX * (SEAL_MAX + 8)
_SEED_LENGTH: Final = 32


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
        return codec.encode([seal])

    async def open(self, sealed: bytes, reason: str) -> SecretBytes:
        """See the port."""
        seal = _passphrase_seal(sealed)
        seed = await open_with(
            self._passphrases,
            reason,
            lambda typed: open_secret(seal, typed, labels.PASSPHRASE_SEAL),
        )
        if len(seed) != _SEED_LENGTH:
            raise _damaged()
        return seed


def _passphrase_seal(sealed: bytes) -> bytes:
    try:
        seals = codec.decode_canonical(sealed, _Seals, size_max=_SEALED_MAX)
    except RemoteError as error:
        raise _damaged() from error
    for seal in seals:
        if seal[0] == METHOD_PASSPHRASE:
            return seal
    raise VerificationError(
        "no-usable-seal",
        "The account on this phone is not protected by a passphrase.",
        "Use the way of verification that you chose for it.",
    )


def _damaged() -> PlatformError:
    return PlatformError(
        "seal-damaged",
        "The sealed account key is damaged.",
        "Use your recovery code on a new phone.",
    )
