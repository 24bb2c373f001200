"""A device's own keys, and which public keys are refused (spec 02, "Keys").

Points of small order would let anybody forge signatures or predict shared secrets, and a
second encoding of one key would give one device two identities. The checks need no curve
arithmetic: both curves have a handful of such points, and canonical means "below the prime".
"""

from __future__ import annotations

from functools import cached_property
from typing import Final, Self

from msgspec import Struct

from untether.base.errors import RemoteError
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes
from untether.crypto.provider import X25519_LENGTH, provider

SEED_LENGTH: Final = 32

_PRIME: Final = 2**255 - 19
_SIGN_BIT: Final = 1 << 255

# Orders 4, 2 and 1 of Ed25519 (y = 0, −1, 1), and the y of its four points of order 8.
_SMALL_ORDER_Y: Final = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    }
)
# Curve25519 and its twist: u of the points of order 2 and 4, then of order 8.
_SMALL_ORDER_U: Final = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
        0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
    }
)


class DevicePublicKeys(Struct, frozen=True):
    """What a device shows of itself: Ed25519 and X25519 public keys (32 bytes each)."""

    signing_key: bytes
    agreement_key: bytes


class DeviceSecrets(Struct, frozen=True, dict=True):
    """The seeds (32 bytes each) that never leave their device, with their public keys."""

    signing_seed: SecretBytes
    agreement_seed: SecretBytes

    @cached_property
    def public_keys(self) -> DevicePublicKeys:
        """Both public keys, derived when they are first asked for: most readers need none."""
        crypto = provider()
        return DevicePublicKeys(
            crypto.ed25519_public(self.signing_seed), crypto.x25519_public(self.agreement_seed)
        )

    @classmethod
    def generate(cls, randomness: Randomness) -> Self:
        """Draw the keys of a new device."""
        signing_seed = SecretBytes.generate(SEED_LENGTH, randomness)
        return cls(signing_seed, SecretBytes.generate(X25519_LENGTH, randomness))

    @property
    def signing_key(self) -> bytes:
        """The Ed25519 public key."""
        return self.public_keys.signing_key

    @property
    def agreement_key(self) -> bytes:
        """The X25519 public key."""
        return self.public_keys.agreement_key


def check_signing_key(key: bytes) -> None:
    """Refuse an Ed25519 key of small order (``weak-key``) or in a second encoding."""
    _check_coordinate(int.from_bytes(key, "little") & ~_SIGN_BIT, _SMALL_ORDER_Y)


def check_agreement_key(key: bytes) -> None:
    """Refuse an X25519 key of small order (``weak-key``) or in a second encoding."""
    _check_coordinate(int.from_bytes(key, "little"), _SMALL_ORDER_U)


def _check_coordinate(coordinate: int, small_order: frozenset[int]) -> None:
    if coordinate >= _PRIME:
        raise RemoteError("not-canonical", "A public key is not in its one spelling.")
    if coordinate in small_order:
        raise RemoteError("weak-key", "A public key is one of the few that protect nothing.")
