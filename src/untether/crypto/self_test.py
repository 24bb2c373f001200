"""Known answers that a provider must give before it is used (spec 01, "Self-test").

Sources: RFC 7748 §6.1, RFC 8032 §7.1 test 1, RFC 8439 §2.8.2; ML-KEM-768 by kyber-py from the
seed 00 01 … 3f; Argon2id by OpenSSL. Refusals are tested too: a provider that accepts a
small-order point must not be used at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from untether.base.errors import PlatformError
from untether.crypto.hashes import blake2b_256
from untether.crypto.provider import MLKEM768_CIPHERTEXT_LENGTH, CryptoError, Provider

_x = bytes.fromhex

_X25519_ALICE: Final = _x("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
_X25519_ALICE_PUBLIC: Final = _x("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
_X25519_BOB_PUBLIC: Final = _x("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
_X25519_SHARED: Final = _x("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
_ED25519_SEED: Final = _x("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
_ED25519_PUBLIC: Final = _x("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
_ED25519_SIGNATURE: Final = _x(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
    "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)
_MLKEM_SEED: Final = bytes(range(64))
_MLKEM_PUBLIC_HASH: Final = _x("ed55dc79a5e00ee5a5517d622e5b2d6f22ad296c2796301eb38dc3f40e6e5e62")
_MLKEM_REJECTED: Final = _x("c8fbeddafdacef2ffeb8b354ea644f11b5c150f3e2c4a74ce38abba8f854ae16")
_AEAD_KEY: Final = bytes(range(0x80, 0xA0))
_AEAD_NONCE: Final = _x("070000004041424344454647")
_AEAD_ASSOCIATED: Final = _x("50515253c0c1c2c3c4c5c6c7")
_AEAD_PLAINTEXT: Final = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
    b"future, sunscreen would be it."
)
_AEAD_TAG: Final = _x("1ae10b594f09e26a7e902ecbd0600691")
_ARGON2ID: Final = _x("25ce5233cc1e4d37e9bca31bfef41710e40446cd1cb575932791c5fd3780bd3c")


def check_provider(provider: Provider) -> None:
    """Raise PlatformError ``crypto-self-test`` unless every known answer comes back."""
    for check in (_check_x25519, _check_ed25519, _check_mlkem768, _check_aead, _check_argon2id):
        if not _passes(check, provider):
            raise PlatformError(
                "crypto-self-test",
                f"The cryptographic library failed its self-test ({check.__name__[7:]}).",
                "Do not use this installation; reinstall it from a trusted source.",
            )


def _passes(check: Callable[[Provider], bool], provider: Provider) -> bool:
    try:
        return check(provider)
    except CryptoError:
        return False


def _refuses(call: Callable[[], object]) -> bool:
    try:
        call()
    except CryptoError:
        return True
    return False


def _check_x25519(provider: Provider) -> bool:
    return (
        provider.x25519_public(_X25519_ALICE) == _X25519_ALICE_PUBLIC
        and provider.x25519_shared(_X25519_ALICE, _X25519_BOB_PUBLIC) == _X25519_SHARED
        and _refuses(lambda: provider.x25519_shared(_X25519_ALICE, bytes(32)))
    )


def _check_ed25519(provider: Provider) -> bool:
    provider.ed25519_verify(_ED25519_PUBLIC, b"", _ED25519_SIGNATURE)
    identity_point = b"\1" + bytes(31)
    return (
        provider.ed25519_public(_ED25519_SEED) == _ED25519_PUBLIC
        and provider.ed25519_sign(_ED25519_SEED, b"") == _ED25519_SIGNATURE
        and _refuses(lambda: provider.ed25519_verify(_ED25519_PUBLIC, b"x", _ED25519_SIGNATURE))
        and _refuses(
            lambda: provider.ed25519_verify(identity_point, b"x", identity_point + bytes(32))
        )
    )


def _check_mlkem768(provider: Provider) -> bool:
    public = provider.mlkem768_public(_MLKEM_SEED)
    shared, ciphertext = provider.mlkem768_encapsulate(public)
    rejected = provider.mlkem768_decapsulate(_MLKEM_SEED, bytes(MLKEM768_CIPHERTEXT_LENGTH))
    return (
        blake2b_256(public) == _MLKEM_PUBLIC_HASH
        and provider.mlkem768_decapsulate(_MLKEM_SEED, ciphertext) == shared
        and rejected == _MLKEM_REJECTED
        and _refuses(lambda: provider.mlkem768_encapsulate(b"\xff" * len(public)))
    )


def _check_aead(provider: Provider) -> bool:
    sealed = provider.aead_seal(_AEAD_KEY, _AEAD_NONCE, _AEAD_PLAINTEXT, _AEAD_ASSOCIATED)
    opened = provider.aead_open(_AEAD_KEY, _AEAD_NONCE, sealed, _AEAD_ASSOCIATED)
    return (
        sealed.endswith(_AEAD_TAG)
        and opened == _AEAD_PLAINTEXT
        and _refuses(lambda: provider.aead_open(_AEAD_KEY, _AEAD_NONCE, sealed, b"other"))
    )


def _check_argon2id(provider: Provider) -> bool:
    derived = provider.argon2id(
        b"correct horse", bytes(range(16)), memory_kib=64, passes=1, length=32
    )
    return derived == _ARGON2ID
