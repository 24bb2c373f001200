"""A vault whose person sits at a screen, with a passkey or a passphrase (spec 09, "Vault")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from untether.adapters.vault.account_seals import checked_seed, decode_seals, encode_seals
from untether.adapters.vault.passkey_seal import METHOD_PASSKEY
from untether.adapters.vault.passphrase_seal import METHOD_PASSPHRASE, Argon2Cost
from untether.adapters.vault.proofs import ACCOUNT, Proof, Way, open_seal, seal, way_of
from untether.base.errors import VerificationError
from untether.base.limits import PASSPHRASE_TRIES_MAX
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes

_KNOWN: Final = (METHOD_PASSPHRASE, METHOD_PASSKEY)
_SLIPS: Final = ("passphrase-wrong", "passkey-wrong")


class Screen(Protocol):
    """Asks the person; VerificationError when they refuse, or nobody is there."""

    async def new_proof(self, purpose: str) -> Proof:
        """Have a new passkey or passphrase chosen."""
        ...

    async def proof(self, reason: str, ways: Sequence[Way], wrong: str | None) -> Proof:
        """Have the owner verified by one of these ways; ``wrong`` is what failed before."""
        ...


class ScreenVault:
    """Implements :class:`untether.client.vault.Vault`."""

    def __init__(
        self, screen: Screen, randomness: Randomness, cost: Argon2Cost | None = None
    ) -> None:
        self._screen = screen
        self._randomness = randomness
        self._cost = cost or Argon2Cost()

    async def seal(self, account_seed: SecretBytes) -> bytes:
        """See the port."""
        proof = await self._screen.new_proof("account")
        return encode_seals([seal(account_seed, proof, ACCOUNT, self._randomness, self._cost)])

    async def open(self, sealed: bytes, reason: str) -> SecretBytes:
        """See the port; whoever slips is asked again, a few times."""
        seals = {way_of(one): one for one in decode_seals(sealed) if one[0] in _KNOWN}
        if not seals:
            raise _not_in_this_way()
        wrong: VerificationError | None = None
        for _ in range(PASSPHRASE_TRIES_MAX):
            proof = await self._screen.proof(
                reason, tuple(seals), None if wrong is None else wrong.message
            )
            try:
                return checked_seed(open_seal(_chosen(seals, proof), proof, ACCOUNT))
            except VerificationError as error:
                if error.code not in _SLIPS:
                    raise
                wrong = error
        assert wrong is not None
        raise wrong


def _chosen(seals: dict[Way, bytes], proof: Proof) -> bytes:
    """Return the seal that a proof belongs to; VerificationError ``no-usable-seal``."""
    way = Way(proof.method, proof.credential, proof.salt)
    if way not in seals:
        raise _not_in_this_way()
    return seals[way]


def _not_in_this_way() -> VerificationError:
    return VerificationError(
        "no-usable-seal",
        "The account on this phone is not protected in this way.",
        "Use the way of verification that you chose for it.",
    )
