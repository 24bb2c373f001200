"""Proofs that screens bring from their person, and seals under them (spec 09, "Vault").

A screen has a passphrase typed or a passkey used; what comes of it seals a secret, or opens one.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final, Literal

import msgspec
from msgspec import Struct

from untether.adapters.vault.passkey_seal import (
    METHOD_PASSKEY,
    Passkey,
    open_under_passkey,
    passkey_of,
    seal_under_passkey,
)
from untether.adapters.vault.passphrase_seal import (
    METHOD_PASSPHRASE,
    Argon2Cost,
    open_secret,
    passphrase_from_text,
    seal_secret,
)
from untether.base.errors import LocalError, PlatformError, VerificationError
from untether.base.limits import PASSPHRASE_MIN
from untether.base.randomness import Randomness
from untether.base.secret_bytes import SecretBytes
from untether.crypto import labels

Method = Literal["passkey", "passphrase"]


class Proof(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person has given: a passphrase, or what a passkey made of a salt (base64url)."""

    method: Method
    passphrase: str = ""
    prf: str = ""
    credential: str = ""
    salt: str = ""


class Way(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a seal is opened; ``credential`` and ``salt`` say which passkey gives what."""

    method: Method
    credential: str = ""
    salt: str = ""


class Purpose(Struct, frozen=True):
    """What a seal is for: the labels that bind it (spec 01, "Labels")."""

    passphrase: bytes
    passkey: bytes


ACCOUNT: Final = Purpose(labels.PASSPHRASE_SEAL, labels.PASSKEY_SEAL)
DATABASE: Final = Purpose(labels.DATABASE_KEY, labels.DATABASE_KEY)


def seal(
    secret: SecretBytes,
    proof: Proof,
    purpose: Purpose,
    randomness: Randomness,
    cost: Argon2Cost,
) -> bytes:
    """Seal a secret under a new proof; LocalError ``passphrase-too-short``."""
    if proof.method == "passkey":
        passkey = Passkey(from_base64url(proof.credential), from_base64url(proof.salt))
        prf = SecretBytes(from_base64url(proof.prf))
        return seal_under_passkey(secret, passkey, prf, purpose.passkey, randomness=randomness)
    if len(proof.passphrase) < PASSPHRASE_MIN:
        raise LocalError(
            "passphrase-too-short",
            f"The passphrase is shorter than {PASSPHRASE_MIN} characters.",
            "Choose a longer one: a few words are easy to remember.",
        )
    typed = passphrase_from_text(proof.passphrase)
    return seal_secret(secret, typed, purpose.passphrase, cost=cost, randomness=randomness)


def open_seal(sealed: bytes, proof: Proof, purpose: Purpose) -> SecretBytes:
    """Undo :func:`seal`; VerificationError ``passphrase-wrong`` or ``passkey-wrong``."""
    if proof.method != way_of(sealed).method:
        raise VerificationError(
            "no-usable-seal",
            "This is protected in another way.",
            "Use the way of verification that you chose for it.",
        )
    if proof.method == "passkey":
        return open_under_passkey(sealed, SecretBytes(from_base64url(proof.prf)), purpose.passkey)
    return open_secret(sealed, passphrase_from_text(proof.passphrase), purpose.passphrase)


def way_of(sealed: bytes) -> Way:
    """Return how a seal is opened; PlatformError ``seal-damaged``."""
    method = sealed[0] if sealed else 0
    if method == METHOD_PASSKEY:
        passkey = passkey_of(sealed)
        return Way("passkey", to_base64url(passkey.credential_id), to_base64url(passkey.prf_salt))
    if method == METHOD_PASSPHRASE:
        return Way("passphrase")
    raise PlatformError(
        "seal-damaged",
        "What protects this device is damaged, or a newer Untether made it.",
        "Use your recovery code on a new phone.",
    )


def to_base64url(data: bytes) -> str:
    """Spell bytes as WebAuthn does in JSON: base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """Undo :func:`to_base64url`; LocalError ``bad-proof``."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise LocalError(
            "bad-proof", "What the passkey gave can't be read.", "Try again, or use a passphrase."
        ) from error
