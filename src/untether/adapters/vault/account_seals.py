"""The sealed account seed: a MessagePack array of seals (spec 09, "Vault").

The first byte of a seal is its method, so that one seed may be opened in several ways.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from untether.base.errors import PlatformError, RemoteError, VerificationError
from untether.base.limits import SEAL_MAX, SEALS_MAX
from untether.base.secret_bytes import SecretBytes
from untether.wire import codec

_Seal = Annotated[bytes, Meta(min_length=1, max_length=SEAL_MAX)]
_Seals = Annotated[list[_Seal], Meta(min_length=1, max_length=SEALS_MAX)]
_SEALED_MAX: Final = SEALS_MAX * (SEAL_MAX + 8)
_SEED_LENGTH: Final = 32


def encode_seals(seals: list[bytes]) -> bytes:
    """Return what the engine keeps as the sealed account seed."""
    return codec.encode(seals)


def decode_seals(sealed: bytes) -> list[bytes]:
    """Undo :func:`encode_seals`; PlatformError ``seal-damaged``."""
    try:
        return codec.decode_canonical(sealed, _Seals, size_max=_SEALED_MAX)
    except RemoteError as error:
        raise _damaged() from error


def first_seal(sealed: bytes, method: int, way: str) -> bytes:
    """Return the first seal of a method; VerificationError ``no-usable-seal``."""
    for seal in decode_seals(sealed):
        if seal[0] == method:
            return seal
    raise VerificationError(
        "no-usable-seal",
        f"The account on this phone is not protected by {way}.",
        "Use the way of verification that you chose for it.",
    )


def checked_seed(seed: SecretBytes) -> SecretBytes:
    """Return an opened account seed; PlatformError ``seal-damaged`` if it can't be one."""
    if len(seed) != _SEED_LENGTH:
        raise _damaged()
    return seed


def _damaged() -> PlatformError:
    return PlatformError(
        "seal-damaged",
        "The sealed account key is damaged.",
        "Use your recovery code on a new phone.",
    )
